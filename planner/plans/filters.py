"""Filters: nodes of parent that satisfy a condition on facts, lie near a place, or in a region."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from planner.plans.conditions import read_condition
from planner.plans.function import Call, Function, Kind, Parameter
from planner.plans.ground import Ground, Mask
from planner.plans.selection import Part, Reason
from planner.plans.terms import All, Term, facts_of

# Of a sphere as great as the earth (IUGG mean radius R1), in km.
_EARTH_KM: Final = 6371.0088
_HALF_WAY_KM: Final = 20_016.0
REGION: Final = "region"


def _where(call: Call) -> Part:
    from planner.plans.truth import truth  # noqa: PLC0415 - only who has a condition loads the engine

    condition = read_condition(call.texts["expr"])
    ground = call.world.ground
    said = truth(condition.term, ground)
    unknown = said.is_null().to_numpy() if said.null_count() else None
    found = said.fill_null(value=False).to_numpy()
    return _filtered(call, found, unknown, lambda row: _why_not(condition.term, ground, row))


def _near(call: Call) -> Part:
    lat, lon = math.radians(call.numbers["lat"]), math.radians(call.numbers["lon"])
    km, (x, y, z) = call.numbers["km"], call.world.ground.places
    cosine = x * (math.cos(lat) * math.cos(lon)) + y * (math.cos(lat) * math.sin(lon)) + z * math.sin(lat)

    def why_not(row: int) -> str:
        there = float(cosine[row])
        if math.isnan(there):
            return "it does not tell where it is"
        return f"it is {_EARTH_KM * math.acos(max(-1.0, min(1.0, there))):.0f} km away, not within {km:g}"

    # Beyond half way round everything is near.
    least = math.cos(min(km / _EARTH_KM, math.pi))
    return _filtered(call, cosine >= least, np.isnan(cosine), why_not)


def _region(call: Call) -> Part:
    name = call.texts["name"]
    regions = call.world.ground.texts(REGION)

    def why_not(row: int) -> str:
        told = regions[row]
        return f"its region is {'not known' if told is None else told}"

    found = np.array([region == name for region in regions], dtype=np.bool_)
    unknown = np.array([region is None for region in regions], dtype=np.bool_)
    return _filtered(call, found, unknown, why_not)


def _filtered(call: Call, found: Mask, unknown: Mask | None, why_not: Callable[[int], str]) -> Part:
    """The hosts of parent for which ``found`` is true; who is in stays where it is not known."""
    parent = call.parts["parent"]
    mask = parent.mask & found
    if unknown is not None:
        mask |= parent.mask & unknown & call.world.staying

    def explain(row: int) -> Reason:
        if parent.mask[row] and not mask[row]:
            return call.reason(why_not(row))
        if mask[row] and not found[row]:
            return call.reason(f"kept, as unknown is not false: {why_not(row)}")
        return parent.explain(row)

    return replace(parent, mask=mask, explain=explain).after(parent, call.plan, call.function)


def _why_not(term: Term, ground: Ground, row: int) -> str:
    """The part of the condition that rules a host out, or is not known of it, with what the facts are."""
    from planner.plans.truth import truth  # noqa: PLC0415 - see `_where`

    one = ground.only(row)
    parts = term.terms if isinstance(term, All) else (term,)
    said = [(truth(part, one)[0], part) for part in parts]
    # What is false decides, whatever else is not known.
    decided, part = min((each for each in said if each[0] is not True), key=lambda each: each[0] is None)
    told = ", ".join(f"{name} is {_shown(ground, name, row)}" for name in sorted(facts_of(part)))
    return f"the condition is {'unknown' if decided is None else 'false'}: {told or 'always'}"


def _shown(ground: Ground, name: str, row: int) -> str:
    told = ground.texts(name)[row]
    return "not known" if told is None else str(told)[:60]


_PARENT: Final = Parameter("parent", Kind.PLAN, default="all_nodes")

FAMILY: Final = (
    Function(
        "where",
        _where,
        "the nodes of parent that satisfy a condition on their facts and labels",
        (_PARENT, Parameter("expr", Kind.CONDITION, other_name="condition")),
        sticky=True,
    ),
    Function(
        "near",
        _near,
        "the nodes of parent within so many km of a place, by the great circle",
        (
            _PARENT,
            Parameter("lat", Kind.NUMBER, least=-90, most=90),
            Parameter("lon", Kind.NUMBER, least=-180, most=180),
            Parameter("km", Kind.NUMBER, least=0, most=_HALF_WAY_KM),
        ),
        sticky=True,
    ),
    Function(
        "region",
        _region,
        "the nodes of parent whose fact or label region is this",
        (_PARENT, Parameter("name", Kind.TEXT)),
        sticky=True,
    ),
)
