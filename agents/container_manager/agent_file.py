"""What `agent.json` says: whose agent it is, which one, and with what it connects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents import state_file
from agents.container_manager.slivers import record
from agents.container_manager.slivers.place import Place
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
