"""What an agent is told when it starts: `agent.json`, written by the container manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.order_trust import keys_of
from broker.address import with_certificate
from dsmt_core.agents import AgentPackage
from dsmt_core.commands import STATUS_PERIOD_S
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import DEFAULT_AGENT, Host, Slice, host, slice_name
from dsmt_core.signing import PublicKey

FILE: Final = "agent.json"
_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """Who an agent is, and where its broker is.

    Attributes:
        host, slice: which sliver it serves.
        broker: URL of PsEPR.
        queue: where its orders come, declared by the planner.
        application_broker: URL that its applications are given; empty: none.
        certificate: the file of what it and they show to a broker over TLS; empty: nothing.
        status_period: seconds between two tellings of what it holds.
        agent, agent_parameters: as the slice names them.
        agent_package: what an agent of somebody else comes in; None for the default one.
        order_keys: those with which its orders must be signed; none: with no key.
        boot_id: which life of the machine this is; everything started in another has ended.
    """

    host: Host
    slice: Slice
    broker: str = field(repr=False)
    queue: str
    application_broker: str = field(default="", repr=False)
    certificate: str = ""
    status_period: float = STATUS_PERIOD_S
    agent: str = DEFAULT_AGENT
    agent_parameters: Mapping[str, str] = field(default_factory=dict)
    agent_package: AgentPackage | None = None
    order_keys: tuple[PublicKey, ...] = ()
    boot_id: str = ""

    @property
    def way(self) -> str:
        """The broker's URL with the file of the certificate."""
        return with_certificate(self.broker, self.certificate)


def read_config(path: Path) -> AgentConfig:
    """The configuration in the file ``path``.

    Raises:
        NotFound: there is no such file.
        Invalid: it cannot be read, or something is missing in it.
    """
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_BYTES))
    except FileNotFoundError:
        raise NotFound(
            f"there is no {path}", hint="the container manager writes it; DSMT_RUN names its directory"
        ) from None
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    return config_of(values)


def config_of(values: Any) -> AgentConfig:
    """The configuration that plain values mean.

    Raises:
        Invalid: something is missing or not legal.
    """
    try:
        return AgentConfig(
            host=host(values["host"]),
            slice=slice_name(values["slice"]),
            broker=str(values["broker"]),
            queue=str(values["queue"]),
            application_broker=str(values.get("application_broker") or ""),
            certificate=str(values.get("certificate") or ""),
            status_period=_period(values.get("status_period") or STATUS_PERIOD_S),
            agent=str(values.get("agent") or DEFAULT_AGENT),
            agent_parameters=_texts(values.get("agent_parameters") or {}),
            agent_package=_package(values.get("agent_package")),
            order_keys=keys_of(str(values.get("order_keys") or "")),
            boot_id=str(values.get("boot_id") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"agent.json is not a configuration of an agent: {error!r}") from error


def _texts(values: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in values.items()}


def _package(text: Any) -> AgentPackage | None:
    return AgentPackage.parse(str(text)) if text else None


def _period(value: Any) -> float:
    period = float(value)
    if not 0 < period < float("inf"):
        raise Invalid("the status period of agent.json is not a number of seconds above 0")
    return period
