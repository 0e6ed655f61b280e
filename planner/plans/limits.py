"""How many: ``limit``, ``random``, ``site``; and in which order a limit takes: ``rank``, ``spread``.

All are sticky: who is in and still qualifies stays, only losses are replaced; with a churn (`exchange`) a
limit exchanges a few members for better nodes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from planner.amount import Amount, Rounding
from planner.plans.draw import draw, levels
from planner.plans.exchange import exchange
from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.ground import HOST, SITE
from planner.plans.selection import Part, Preference, Reason


def _limit(call: Call) -> Part:
    parent = call.parts["parent"]
    return _drawn(call, _count(call, parent), parent.preference)


def _random(call: Call) -> Part:
    """As `_limit`, but spread over nothing greater than a host: the lots alone."""
    return _drawn(call, _count(call, call.parts["parent"]), Preference(spread=HOST))


def _count(call: Call, parent: Part) -> int:
    if "count" in call.numbers:
        return int(call.numbers["count"])
    return Amount(call.numbers["percent"], percent=True).of(int(parent.mask.sum()), Rounding.UP)


def _drawn(call: Call, count: int, preference: Preference) -> Part:
    parent, members = call.parts["parent"], call.world.members
    drawn = draw(call, parent, count, preference)
    churn = call.amounts["churn"]
    taken = exchange(call, parent, drawn, min(churn.of(count, Rounding.DOWN), count), preference)

    def explain(row: int) -> Reason:
        if taken[row] and not drawn[row]:
            return call.reason(f"comes in place of a member that is less good; churn is {churn}")
        if taken[row]:
            return call.reason("kept: was a member" if members[row] else "chosen")
        if drawn[row] and members[row]:
            return call.reason(f"gives its place to a better one; churn is {churn}")
        return call.reason(f"over the limit of {count}") if parent.mask[row] else parent.explain(row)

    missing = count - int(taken.sum()) if "count" in call.numbers else parent.missing
    # A share is bounded too, by what it is a share of now: nothing new begins before it has room.
    return replace(parent, mask=taken, explain=explain, missing=missing, bound=count)


def _site(call: Call) -> Part:
    parent, most = call.parts["parent"], int(call.numbers["max_per_site"])
    world = call.world
    rows = np.flatnonzero(parent.mask)
    order = np.lexsort((world.lots(call.plan, rows), world.trust[rows], ~world.members[rows]))
    place = np.empty_like(rows)
    place[order] = np.arange(len(rows))
    sites = world.ground.codes(SITE)[rows]
    taken = world.ground.mask_of(rows[levels(place, sites, sites[:0]) < most])

    def explain(row: int) -> Reason:
        if parent.mask[row] and not taken[row]:
            return call.reason(f"its site {world.ground.texts(SITE)[row] or '(none)'} has {most} already")
        return parent.explain(row)

    return replace(parent, mask=taken, explain=explain).after(parent, call.plan, call.function)


def _rank(call: Call) -> Part:
    parent, numbers = call.parts["parent"], call.world.ground.numbers(call.texts["by"])
    order = -numbers if call.texts["order"] == "desc" else numbers
    return replace(parent, preference=replace(parent.preference, order=order))


def _spread(call: Call) -> Part:
    parent = call.parts["parent"]
    return replace(parent, preference=replace(parent.preference, spread=call.texts["by"]))


_PARENT: Final = Parameter("parent", Kind.PLAN, default="all_nodes")


_COUNTED: Final = (
    _PARENT,
    Parameter("count", Kind.COUNT, default=""),
    Parameter("percent", Kind.PERCENT, default=""),
    Parameter("churn", Kind.AMOUNT, default="0"),
)
_EITHER: Final = ("count", "percent")

FAMILY: Final = (
    Function(
        "limit",
        _limit,
        "at most count nodes of parent, over many sites; who is in stays",
        _COUNTED,
        sticky=True,
        one_of=_EITHER,
    ),
    Function(
        "random",
        _random,
        "count nodes of parent by lot, wherever they are; who is in stays",
        _COUNTED,
        sticky=True,
        one_of=_EITHER,
    ),
    Function(
        "site",
        _site,
        "at most so many nodes of each site; who is in stays",
        (_PARENT, Parameter("max_per_site", Kind.COUNT, default="1", other_name="max")),
        sticky=True,
    ),
    Function(
        "rank",
        _rank,
        "the nodes of parent; a limit above takes the least, or with order=desc the greatest, first",
        (
            _PARENT,
            Parameter("by", Kind.FACT),
            Parameter("order", Kind.TEXT, default="asc", choices=("asc", "desc")),
        ),
    ),
    Function(
        "spread",
        _spread,
        "the nodes of parent; a limit above spreads over the values of a fact instead of sites",
        (_PARENT, Parameter("by", Kind.FACT)),
    ),
)
