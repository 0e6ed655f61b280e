"""What `agent.json` says: whose agent it is, which one, and with what it connects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents import state_file
from agents.container_manager.joining import Joined
from agents.container_manager.slivers import record
from agents.container_manager.slivers.place import Inside, Place
from broker.address import as_user, parse, password_in
from broker.parties import Kind, Party, is_party, sliver_password
from broker.topology import agent_queue
from dsmt_core.agents import AgentPackage
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import DEFAULT_AGENT


def values(
    place: Place, agent: Mapping[str, Any], ways: Mapping[str, str], *, status_period: float | None
) -> dict[str, Any]:
    """The file of one sliver.

    Args:
        place: the sliver.
        agent: as `about` tells.
        ways: the URLs of the broker, for the agent and for applications.
        status_period: of this node; None: as the orders say.
    """
    known: dict[str, Any] = {
        "host": place.host,
        "slice": place.slice,
        **ways,
        "queue": agent_queue(place.slice, place.host),
        **agent,
        "boot_id": record.machine_boot_id(),
    }
    if status_period is not None:
        known["status_period"] = status_period
    return known


def ways(place: Place, joined: Joined, life: int) -> dict[str, str]:
    """The URLs of the broker for the agent of a sliver, and for its applications.

    Where the node has a user of its own, so have they; their passwords follow from its.

    Args:
        place: the sliver.
        joined: what the planner told the node; it may have applications not connect at all.
        life: of the slice, as ordered.
    """
    agent, sliver = (Party(kind, place.slice, place.host) for kind in (Kind.AGENT, Kind.SLIVER))
    return {
        "broker": way(joined.broker, agent, joined.broker, life),
        "application_broker": way(joined.application_broker, sliver, joined.broker, life),
    }


def way(url: str, party: Party, broker: str, life: int) -> str:
    """The URL of a party on a node.

    Args:
        url: with which the planner has such parties connect; empty: not at all.
        party: an agent or a sliver.
        broker: with which the node connects.
        life: of the slice, as ordered.
    """
    if not url or not broker.startswith("amqp") or not is_party(parse(broker).user):
        return url
    return as_user(url, party.user, sliver_password(password_in(broker), party, life))


def about(agent: str) -> dict[str, Any]:
    """What it says of the agent, which an order names by its name or its package.

    Raises:
        NotFound: it has neither.
    """
    if agent == DEFAULT_AGENT:
        return {"agent": agent, "agent_parameters": {}}
    try:
        package = AgentPackage.parse(agent)
    except Invalid:
        raise NotFound(
            f"this node has no installation agent {agent[:80]!r}", hint=f"setagent --agent {DEFAULT_AGENT}"
        ) from None
    return {
        "agent": package.name,
        "agent_parameters": dict(package.parameters),
        "agent_package": package.text,
    }


def write(place: Place, values: Mapping[str, Any]) -> bool:
    """Write the file if it differs; whether there was another one before."""
    before = state_file.load(place.agent_file).value
    if before == values:
        return False
    state_file.save(place.agent_file, values, mode=0o400)
    return before is not None


def environment(inside: Inside) -> dict[str, str]:
    """What an agent finds in its environment, whatever the driver."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": f"{inside.root}/home",
        "DSMT_RUN": inside.run,
        "DSMT_APP": inside.app,
        "DSMT_PACKAGES": inside.packages,
        "DSMT_ROOT": inside.root,
    }
