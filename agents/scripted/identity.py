"""Who an agent of scripts is: handed on by its bootstrap in a descriptor that only its processes have.

A file would be there for every program of the sliver. The descriptor is inherited by what the agent starts
itself, and by nothing that the sliver's init starts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.deployment_agent.config import AgentConfig, read_config
from agents.deployment_agent.paths import SliverPaths
from agents.scripted.changing import HELD
from dsmt_core.errors import NotFound

VARIABLE: Final = "DSMT_AGENT"
BOOTSTRAP: Final = "bootstrap.json"
ENDED: Final = "ended"
_RUN: Final = "/run/dsmt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the agent is, and where its files are."""

    config: AgentConfig
    paths: SliverPaths

    @property
    def held(self) -> Path:
        """The directory of what it holds."""
        return self.paths.own / HELD

    @property
    def record(self) -> Path:
        """How far the bootstrap, or the agent, has come."""
        return self.paths.own / BOOTSTRAP

    def recorded(self) -> str:
        """The state in the record, if it is of this agent and this life of the sliver."""
        known = state_file.load(self.record).value or {}
        if (known.get("boot_id"), known.get("agent", "")) != (self.config.boot_id, agent_text(self.config)):
            return ""
        return str(known.get("state", ""))

    def keep(self, state: str) -> None:
        """Write the record.

        Raises:
            OSError: it cannot be written.
        """
        keep_record(self.record, self.config, state)


def keep_record(path: Path, config: AgentConfig, state: str) -> None:
    """Write down how far an agent has come in this life of its sliver.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {"boot_id": config.boot_id, "state": str(state)}
    # The default agent's record is as it was before there were others.
    if text := agent_text(config):
        value["agent"] = text
    state_file.save(path, value)


def agent_text(config: AgentConfig) -> str:
    """Which agent it is, to be compared; empty for the default one."""
    return "" if config.agent_package is None else config.agent_package.text


def handed(config: AgentConfig) -> int:
    """A descriptor that holds who an agent is, for a program that is about to be started."""
    descriptor = os.memfd_create("dsmt-agent", 0)
    os.write(descriptor, json.dumps(_values(config)).encode())
    return descriptor


def mine(environment: Mapping[str, str]) -> Identity:
    """Who this program's agent is.

    Raises:
        NotFound: it is none's.
    """
    path = environment.get(VARIABLE, "")
    if not path:
        raise NotFound(
            f"{VARIABLE} is not set: this program belongs to no agent",
            hint="these commands are for the agent of a slice: docs/how-to/write-an-agent.md",
        )
    run = Path(environment.get("DSMT_RUN") or _RUN)
    return Identity(config=read_config(Path(path)), paths=SliverPaths.of_environment(environment, run))


def _values(config: AgentConfig) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(config, name) for name in AgentConfig.__slots__}
    return values | {
        "agent_package": agent_text(config),
        "agent_parameters": dict(config.agent_parameters),
        "order_keys": " ".join(config.order_keys),
    }
