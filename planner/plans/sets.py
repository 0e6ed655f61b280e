"""Sets of hosts: all, the slice's own, named ones, the failed, those in a state, and their algebra."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from dsmt_core.lifecycle import State
from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.selection import Part, Reason
from planner.plans.world import Doing


def _all_nodes(call: Call) -> Part:
    everything = np.ones(len(call.world.ground), dtype=np.bool_)
    return Part(everything, lambda _row: call.reason("is a node"))


def _slice_nodes(call: Call) -> Part:
    members = call.world.members
    return Part(members, lambda row: call.reason(f"is {'' if members[row] else 'not '}in the slice"))


def _failed(call: Call) -> Part:
    failed, world = call.world.failed, call.world

    def explain(row: int) -> Reason:
        why = world.misfits.get(world.ground.hosts[row])
        if failed[row] and why is not None:
            return call.reason(f"failed for this slice: {why}")
        return call.reason("failed" if failed[row] else "not failed")

    return Part(failed, explain)


def _nodes(call: Call) -> Part:
    named = call.world.ground.mask(call.hosts["list"])
    bound = len(call.hosts["list"])
    return Part(named, lambda row: call.reason("named" if named[row] else "not named"), bound=bound)


def _status(call: Call) -> Part:
    asked = Doing(
        state=call.texts["is"], application=call.texts.get("app", ""), slice=call.texts.get("slice", "")
    )
    world = call.world
    found = world.ground.mask(world.states(asked))
    # A slice that follows another one does not flap with its restarts; within a slice nobody follows.
    lately = replace(asked, lately_s=call.numbers["grace"] if asked.slice else 0.0)
    kept = world.staying & world.ground.mask(world.states(lately)) & ~found
    of = f" of {asked.slice}" if asked.slice else ""
    what = f"{asked.application or 'an application'}{of}"

    def explain(row: int) -> Reason:
        if kept[row]:
            return call.reason(f"kept: {what} was {asked.state} less than {lately.lately_s:g} s ago")
        if found[row] or asked.application:
            return call.reason(f"{what} is {'' if found[row] else 'not '}{asked.state}")
        return call.reason(f"no application{of} is {asked.state}")

    return Part(found | kept, explain)


def _minus(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(row: int) -> Reason:
        if left.mask[row] and right.mask[row]:
            reason = right.explain(row)
            return reason._replace(text=f"left out: {reason.text}")
        return left.explain(row)

    taken = replace(left, mask=left.mask & ~right.mask, explain=explain)
    return taken.after(left, call.plan, call.function)


def _union(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(row: int) -> Reason:
        return (right if right.mask[row] and not left.mask[row] else left).explain(row)

    bound = None if left.bound is None or right.bound is None else left.bound + right.bound
    missing, losses = left.missing + right.missing, left.losses + right.losses
    lacks, notes = left.lacks + right.lacks, left.notes + right.notes
    return Part(left.mask | right.mask, explain, missing, bound, left.preference, losses, lacks, notes)


def _intersect(call: Call) -> Part:
    left, right = call.parts["left"], call.parts["right"]

    def explain(row: int) -> Reason:
        return (right if left.mask[row] and not right.mask[row] else left).explain(row)

    bounds = [part.bound for part in (left, right) if part.bound is not None]
    missing = max(left.missing, right.missing)
    part = Part(
        left.mask & right.mask,
        explain,
        missing,
        min(bounds, default=None),
        left.preference,
        lacks=left.lacks + right.lacks,
        notes=left.notes + right.notes,
    )
    return part.after(left, call.plan, call.function)


OF_SLICE: Final = "slice"
"""The parameter by which a plan follows another slice."""

_LONGEST_S: Final = 86_400.0
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
    Function(
        "status",
        _status,
        "the nodes where an application, of the slice or of another one, is in this state",
        (
            Parameter("is", Kind.TEXT, choices=tuple(State), other_name="state"),
            Parameter("app", Kind.TEXT, default="", other_name="application"),
            Parameter(OF_SLICE, Kind.TEXT, default=""),
            Parameter("grace", Kind.NUMBER, default="60", least=0, most=_LONGEST_S),
        ),
        live=True,
    ),
    Function("minus", _minus, "the nodes of left that are not in right", _TWO, frozenset({"right"})),
    Function("union", _union, "the nodes of left and those of right", _TWO),
    Function("intersect", _intersect, "the nodes that are in left and in right", _TWO),
)
