"""Exchanges, queues and bindings of PsEPR, as data; legal on RabbitMQ 3.10 to 4.x.

Few durable topic exchanges carry everything; each node and each agent has one queue with one binding,
declared by the planner, so that nodes and slivers need no configure right. A queue's arguments are part
of its identity: whoever changes them raises the version in its name.

What is worth keeping (`dsmt_core.history.kept`) carries the header `KEEP`. A headers exchange behind
`FEEDS` hands exactly that on to a stream: patterns of routing keys could not say what is *not* to be kept.
The stream has no version: how much it keeps is the operator's choice, and changing it must lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dsmt_core.channels import DEPLOYMENT, NODE, agent_orders_binding, binding_key, node_orders_binding
from dsmt_core.names import Host, Slice
from dsmt_core.rights import (
    CALLS,
    DEAD,
    HISTORY,
    LEASE_WORD,
    LEASES,
    NODES,
    ORDERS,
    PSEPR,
    REGIONS,
    SNAPSHOTS,
)

EXCHANGES: Final = (PSEPR, ORDERS, NODES, DEAD, LEASES, REGIONS, SNAPSHOTS, CALLS)
# Those whose events may be kept; each is bound to the exchange `HISTORY`.
FEEDS: Final = (PSEPR, ORDERS)
# The header of what is to be kept.
KEEP: Final[Mapping[str, Any]] = {"keep": 1}

INGEST: Final = "dsmt.ingest.2"
HEARTBEATS: Final = "dsmt.heartbeats.2"
DEAD_LETTERS: Final = "dsmt.dead.2"
ANSWERS: Final = "dsmt.answers.2"
LEASE_PREFIX: Final = f"{LEASE_WORD}."

ORDER_TTL_S: Final = 30.0
HISTORY_AGE_S: Final = 7 * 86_400.0
HISTORY_BYTES: Final = 2 << 30
# Retention drops whole segments, and one is always kept.
_SEGMENT_BYTES: Final = 50_000_000
_SEGMENTS: Final = 4
# What queues hold, in number and bytes; beyond it the oldest goes, because events are hints: a publisher
# that is refused would have to choose between waiting and disorder.
_INGEST_KEPT: Final = (500_000, 512 << 20)
_HEARTBEATS_KEPT: Final = (100_000, 64 << 20)
_DEAD_KEPT: Final = (10_000, 64 << 20)
_ANSWERS_KEPT: Final = (10_000, 64 << 20)
_ORDERS_KEPT: Final = (10_000, 16 << 20)
_LEASE_KEPT: Final = (100_000, 128 << 20)
# What is not acknowledged comes again with every lost connection, and RabbitMQ 4 would drop it after 20;
# the planner's own check sends what is wrong to the dead letters before anything can fail because of it.
_INGEST_DELIVERIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue; ``arguments`` are the broker's ``x-`` arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    """``queue`` hears what ``exchange`` routes by ``key``, or by ``arguments`` (a headers exchange)."""

    queue: str
    exchange: str
    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)


def node_queue(host: Host) -> str:
    """The queue of the orders for a node's container manager."""
    return f"dsmt.node.2.{host}"


def agent_queue(slice_: Slice, host: Host) -> str:
    """The queue of the orders for the agent of a slice on a host."""
    return f"dsmt.agent.2.{slice_}.{host}"


def planner_topology(heartbeat_s: float) -> tuple[list[Queue], list[Binding]]:
    """What the planner reads: ingest (quorum, one active consumer); heartbeats and answers (short-lived).

    Args:
        heartbeat_s: the nodes' period; a heartbeat older than one period is no news.
    """
    queues = [
        Queue(
            INGEST,
            {
                "x-queue-type": "quorum",
                "x-single-active-consumer": True,
                "x-delivery-limit": _INGEST_DELIVERIES,
                **_bounded(_INGEST_KEPT),
            },
        ),
        Queue(
            f"{HEARTBEATS}.{_milliseconds(heartbeat_s)}",
            {"x-message-ttl": _milliseconds(heartbeat_s), **_bounded(_HEARTBEATS_KEPT)},
        ),
        Queue(DEAD_LETTERS, _bounded(_DEAD_KEPT)),
        # Who waits for an answer gives up: later it is of no use.
        Queue(ANSWERS, {"x-message-ttl": _milliseconds(ORDER_TTL_S), **_bounded(_ANSWERS_KEPT)}),
    ]
    bindings = [
        Binding(INGEST, PSEPR, binding_key(DEPLOYMENT)),
        Binding(INGEST, PSEPR, binding_key(NODE)),
        Binding(queues[1].name, NODES, binding_key(NODE)),
        Binding(DEAD_LETTERS, DEAD, "#"),
        Binding(ANSWERS, CALLS, binding_key(DEPLOYMENT)),
    ]
    return queues, bindings


def node_topology(host: Host) -> tuple[list[Queue], list[Binding]]:
    """The queue of one node."""
    return _orders(node_queue(host), node_orders_binding(host))


def agent_topology(slice_: Slice, host: Host) -> tuple[list[Queue], list[Binding]]:
    """The queue of one agent."""
    return _orders(agent_queue(slice_, host), agent_orders_binding(slice_, host))


def history_topology(age_s: float, size: int) -> tuple[list[Queue], list[Binding]]:
    """The stream of all that is kept.

    Args:
        age_s: what is older may be dropped.
        size: in bytes; beyond it the oldest may be dropped.
    """
    arguments = {
        "x-queue-type": "stream",
        "x-max-age": f"{max(1, round(age_s))}s",
        "x-max-length-bytes": size,
        "x-stream-max-segment-size-bytes": min(_SEGMENT_BYTES, max(1, size // _SEGMENTS)),
    }
    return [Queue(HISTORY, arguments)], [Binding(HISTORY, HISTORY, "", {"x-match": "all", **KEEP})]


def lease_arguments(duration_s: float) -> dict[str, Any]:
    """The arguments of a lease's queue: it expires, and it is bounded."""
    return {"x-expires": _milliseconds(duration_s), **_bounded(_LEASE_KEPT)}


def _orders(queue: str, key: str) -> tuple[list[Queue], list[Binding]]:
    arguments = {"x-message-ttl": _milliseconds(ORDER_TTL_S), **_bounded(_ORDERS_KEPT)}
    return [Queue(queue, arguments)], [Binding(queue, ORDERS, key)]


def _bounded(kept: tuple[int, int]) -> dict[str, Any]:
    """Holds at most so many messages, and so many bytes; the oldest goes first."""
    return {"x-max-length": kept[0], "x-max-length-bytes": kept[1], "x-overflow": "drop-head"}


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
