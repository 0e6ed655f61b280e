"""Exchanges, queues and bindings of PsEPR, as data; legal on RabbitMQ 3.10 to 4.x.

Few durable topic exchanges carry everything; each node and each agent has one queue with one binding,
declared by the planner, so that nodes and slivers need no configure right. A queue's arguments are part
of its identity: whoever changes them raises the version in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from dsmt_core.channels import DEPLOYMENT, NODE, agent_orders_binding, binding_key, node_orders_binding
from dsmt_core.names import Host, Slice
from dsmt_core.rights import DEAD, NODES, ORDERS, PSEPR

EXCHANGES: Final = (PSEPR, ORDERS, NODES, DEAD)

INGEST: Final = "dsmt.ingest.1"
HEARTBEATS: Final = "dsmt.heartbeats.1"
DEAD_LETTERS: Final = "dsmt.dead.1"
LEASE_PREFIX: Final = "lease."

ORDER_TTL_S: Final = 30.0
_HEARTBEATS_KEPT: Final = 100_000
_DEAD_KEPT: Final = 10_000
_ORDERS_KEPT: Final = 10_000
_LEASE_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue; ``arguments`` are the broker's ``x-`` arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    """``queue`` hears what ``exchange`` routes by ``key``."""

    queue: str
    exchange: str
    key: str


def node_queue(host: Host) -> str:
    """The queue of the orders for a node's container manager."""
    return f"dsmt.node.1.{host}"


def agent_queue(slice_: Slice, host: Host) -> str:
    """The queue of the orders for the agent of a slice on a host."""
    return f"dsmt.agent.1.{slice_}.{host}"


def planner_topology(heartbeat_s: float) -> tuple[list[Queue], list[Binding]]:
    """What the planner reads: ingest (quorum, single active consumer) and heartbeats (short-lived).

    Args:
        heartbeat_s: the nodes' period; a heartbeat older than one period is no news.
    """
    queues = [
        Queue(INGEST, {"x-queue-type": "quorum", "x-single-active-consumer": True}),
        Queue(
            f"{HEARTBEATS}.{_milliseconds(heartbeat_s)}",
            {
                "x-message-ttl": _milliseconds(heartbeat_s),
                "x-max-length": _HEARTBEATS_KEPT,
                "x-overflow": "drop-head",
            },
        ),
        Queue(DEAD_LETTERS, {"x-max-length": _DEAD_KEPT, "x-overflow": "drop-head"}),
    ]
    bindings = [
        Binding(INGEST, PSEPR, binding_key(DEPLOYMENT)),
        Binding(INGEST, PSEPR, binding_key(NODE)),
        Binding(queues[1].name, NODES, binding_key(NODE)),
        Binding(DEAD_LETTERS, DEAD, "#"),
    ]
    return queues, bindings


def node_topology(host: Host) -> tuple[list[Queue], list[Binding]]:
    """The queue of one node."""
    return _orders(node_queue(host), node_orders_binding(host))


def agent_topology(slice_: Slice, host: Host) -> tuple[list[Queue], list[Binding]]:
    """The queue of one agent."""
    return _orders(agent_queue(slice_, host), agent_orders_binding(slice_, host))


def lease_arguments(duration_s: float) -> dict[str, Any]:
    """The arguments of a lease's queue: it expires, and it is bounded."""
    return {
        "x-expires": _milliseconds(duration_s),
        "x-max-length": _LEASE_KEPT,
        "x-overflow": "drop-head",
    }


def _orders(queue: str, key: str) -> tuple[list[Queue], list[Binding]]:
    arguments = {
        "x-message-ttl": _milliseconds(ORDER_TTL_S),
        "x-max-length": _ORDERS_KEPT,
        "x-overflow": "drop-head",
    }
    return [Queue(queue, arguments)], [Binding(queue, ORDERS, key)]


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
