"""Sets of hosts: all, the slice's own, named ones, the failed, and their algebra."""

from __future__ import annotations

from typing import Final

from dsmt_core.names import Host
from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.selection import Part


def _all_nodes(call: Call) -> Part:
    known = frozenset(call.world.hosts)
    return Part(known, lambda host: "is a node" if host in known else "is not known")


def _slice_nodes(call: Call) -> Part:
    members = frozenset(call.world.members)
    return Part(members, lambda host: f"is {'' if host in members else 'not '}in the slice")


def _failed(call: Call) -> Part:
    failed = frozenset(call.world.failed)
    return Part(failed, lambda host: "failed" if host in failed else "not failed")


def _nodes(call: Call) -> Part:
    named = frozenset(call.hosts["list"])
    known = named & call.world.hosts

    def explain(host: Host) -> str:
        if host in known:
            return "named"
        return "named, but not known" if host in named else "not named"

    return Part(frozenset(known), explain, bound=len(named))


def _minus(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(host: Host) -> str:
        if host in left.hosts and host in right.hosts:
            return f"left out: {right.explain(host)}"
        return left.explain(host)

    return Part(left.hosts - right.hosts, explain, left.missing, left.bound)


def _union(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(host: Host) -> str:
        return (right if host in right.hosts - left.hosts else left).explain(host)

    bound = None if left.bound is None or right.bound is None else left.bound + right.bound
    return Part(left.hosts | right.hosts, explain, left.missing + right.missing, bound)


def _intersect(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(host: Host) -> str:
        return (right if host in left.hosts - right.hosts else left).explain(host)

    bounds = [part.bound for part in (left, right) if part.bound is not None]
    missing = max(left.missing, right.missing)
    return Part(left.hosts & right.hosts, explain, missing, min(bounds, default=None))


_TWO: Final = (Parameter("left", Kind.PLAN), Parameter("right", Kind.PLAN))

FAMILY: Final = (
    Function("all_nodes", _all_nodes, "every node that is known"),
    Function("slice_nodes", _slice_nodes, "the nodes of the slice now"),
    Function(
        "nodes",
        _nodes,
        "the nodes that are named",
        (Parameter("list", Kind.HOSTS, other_name="hosts"),),
    ),
    Function("failed", _failed, "the nodes that failed, until they have proved themselves again"),
    Function("minus", _minus, "the nodes of left that are not in right", _TWO, frozenset({"right"})),
    Function("union", _union, "the nodes of left and those of right", _TWO),
    Function("intersect", _intersect, "the nodes that are in left and in right", _TWO),
)
