"""Seen as rows: what is written behind, once a second, and loaded at a start.

A row is a node (its slice empty) or a sliver with its applications; the value is plain JSON. What is loaded
is marked old: nobody has said it since the planner began to listen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.nodes import digest
from planner.fleet.seen import ApplicationSeen, LayerSeen, NodeSeen, NodeState, SliverSeen


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One row: the key is (host, slice).

    Attributes:
        host: the node.
        slice: empty for the node itself.
        value: JSON; None when the row is to be deleted.
    """

    host: Host
    slice: Slice
    value: Mapping[str, Any] | None


def sliver_value(sliver: SliverSeen) -> dict[str, Any]:
    """A sliver as JSON; the same as `dataclasses.asdict`, in a twentieth of the time."""
    return {
        "container": _layer_value(sliver.container),
        "agent": _layer_value(sliver.agent),
        "agent_ready": sliver.agent_ready,
        "fresh": sliver.fresh,
        "applications": {name: _application_value(one) for name, one in sliver.applications.items()},
        "left": dict(sliver.left),
        "container_says": dict(sliver.container_says),
    }


def read_sliver(value: Mapping[str, Any]) -> SliverSeen:
    """The inverse of `sliver_value`, marked old."""
    return SliverSeen(
        container=_layer(value["container"]),
        agent=_layer(value["agent"]),
        agent_ready=value["agent_ready"],
        applications={
            Application(name): ApplicationSeen(**{**read, "layer": _layer(read["layer"])})
            for name, read in value["applications"].items()
        },
        # A planner from before did not write them.
        left={Application(name): since for name, since in value.get("left", {}).items()},
        container_says=dict(value.get("container_says", {})),
    )


def node_value(node: NodeSeen, *, state: NodeState, period: float) -> dict[str, Any]:
    """A node as JSON, with how it is judged and its period in seconds."""
    return {
        "state": state,
        "period": period,
        "slivers": node.slivers,
        "orders": node.orders,
        "facts": node.facts,
    }


def read_node(value: Mapping[str, Any]) -> NodeSeen:
    """The inverse of `node_value`, marked old; state and period are the fleet's to read."""
    slivers = value["slivers"]
    node = NodeSeen(facts=dict(value["facts"]))
    if slivers is not None:
        node.slivers = {Slice(name): held for name, held in slivers.items()}
        # A planner from before there were digests of orders did not write them.
        node.orders = {Slice(name): said for name, said in value.get("orders", {}).items()}
        node.held_digest = digest(node.slivers)
    return node


def _application_value(seen: ApplicationSeen) -> dict[str, Any]:
    return {
        "layer": _layer_value(seen.layer),
        "version": seen.version,
        "generation": seen.generation,
        "restarts": seen.restarts,
        "digest": seen.digest,
        "configuration": seen.configuration,
        "text": seen.text,
        "exit_code": seen.exit_code,
        "held": seen.held,
        "gave_up": seen.gave_up,
        "gave_up_since": seen.gave_up_since,
        "note": seen.note,
    }


def _layer_value(layer: LayerSeen) -> dict[str, Any]:
    return {"state": layer.state, "since": layer.since, "reason": layer.reason}


def _layer(value: Mapping[str, Any]) -> LayerSeen:
    return LayerSeen(State(value["state"]), value["since"], value["reason"])
