"""The function ``sword`` of plans: what it chose, and why each host is in or out."""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.selection import Part, Reason
from planner.plans.sword.assignment import FREE
from planner.plans.sword.choice import Choice, choose
from planner.plans.sword.fits import why_not
from planner.plans.sword.query import Query
from planner.plans.sword.reading import read_query

# Of groups that say why they do not take a host.
_SHOWN: Final = 4
_EPSILON: Final = 1e-6


def _sword(call: Call) -> Part:
    parent, query = call.parts["parent"], read_query(call.texts["query"])
    choice = choose(call, query, parent)
    mask = choice.mask
    wanted = query.count
    missing = parent.missing if wanted is None else wanted - int(mask.sum())

    def explain(row: int) -> Reason:
        if mask[row]:
            return call.reason(_why_in(call, query, choice, row))
        if not parent.mask[row]:
            return parent.explain(row)
        return call.reason(_why_out(call, query, choice, row))

    lacks, notes = _lacking(query, choice), _gap(choice)
    return Part(mask, explain, missing, wanted, lacks=lacks, notes=notes).after(
        parent, call.plan, call.function
    )


def _why_in(call: Call, query: Query, choice: Choice, row: int) -> str:
    group = query.groups[choice.groups[row]]
    member = bool(call.world.members[row])
    unknown = why_not(group, call.world.ground, row)
    if member and unknown:
        return f"kept in group {group.name}: {unknown}, and unknown is not false"
    penalty = choice.penalties[choice.groups[row], row]
    return f"{'kept' if member else 'chosen'} for group {group.name}, penalty {penalty:g}"


def _why_out(call: Call, query: Query, choice: Choice, row: int) -> str:
    fit = np.isfinite(choice.penalties[:, row])
    if fit.any():
        number = int(np.where(fit, choice.penalties[:, row], np.inf).argmin())
        group, penalty = query.groups[number], choice.penalties[number, row]
        full = int((choice.groups == number).sum()) == group.count
        rest = "has enough others" if full else "has no place for it beside the others"
        return f"group {group.name} {rest}; its penalty would be {penalty:g}"
    reasons = [f"{group.name}: {why_not(group, call.world.ground, row)}" for group in query.groups[:_SHOWN]]
    return "; ".join(reasons)


def _lacking(query: Query, choice: Choice) -> tuple[str, ...]:
    """Of each group that is not full how many are missing, and why."""
    notes = []
    for number, group in enumerate(query.groups):
        found = int((choice.groups == number).sum())
        if group.count is None or found == group.count:
            continue
        fit = int(np.isfinite(choice.penalties[number]).sum())
        why = f"{fit} {'node fits' if fit == 1 else 'nodes fit'} its attributes"
        taken = int((np.isfinite(choice.penalties[number]) & (choice.groups != FREE)).sum()) - found
        why += f", {taken} of them in other groups" if taken else ""
        if fit > found + taken:
            why += "; the others cannot be beside those that were found"
        notes.append(f"group {group.name} has {found} of {group.count}: {why}")
    return tuple(notes)


def _gap(choice: Choice) -> tuple[str, ...]:
    """How good the choice is, where it is not the best for certain."""
    if choice.exact:
        return ()
    told = f"found by a bounded search: penalty {choice.penalty:g}"
    if choice.least is None:
        return (f"{told}; there may be a choice with more nodes, or that moves fewer",)
    if choice.penalty - choice.least <= _EPSILON:
        return ()
    return (f"{told}, and no choice has less than {choice.least:g}",)


FAMILY: Final = (
    Function(
        "sword",
        _sword,
        "groups of nodes by requirements, penalties and what they are to each other",
        (
            Parameter("parent", Kind.PLAN, default="all_nodes"),
            Parameter("query", Kind.QUERY),
        ),
        sticky=True,
    ),
)
