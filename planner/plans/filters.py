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
    # What is unknown does not qualify.
    found = truth(condition.term, ground).fill_null(value=False).to_numpy()
    return _filtered(call, found, lambda row: _why_not(condition.term, ground, row))


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
    return _filtered(call, cosine >= least, why_not)


def _region(call: Call) -> Part:
    name = call.texts["name"]
    regions = call.world.ground.texts(REGION)

    def why_not(row: int) -> str:
        told = regions[row]
        return f"its region is {'not known' if told is None else told}"

    found = np.fromiter((region == name for region in regions), dtype=np.bool_, count=len(regions))
    return _filtered(call, found, why_not)


def _filtered(call: Call, found: Mask, why_not: Callable[[int], str]) -> Part:
    """The hosts of parent for which ``found`` is true."""
    parent = call.parts["parent"]
    mask = parent.mask & found

    def explain(row: int) -> Reason:
        if parent.mask[row] and not mask[row]:
            return call.reason(why_not(row))
        return parent.explain(row)

    return replace(parent, mask=mask, explain=explain)


def _why_not(term: Term, ground: Ground, row: int) -> str:
    """The first part of the condition that is not true of a host, with what the facts are."""
    from planner.plans.truth import truth  # noqa: PLC0415 - see `_where`

    one = ground.only(row)
    for part in term.terms if isinstance(term, All) else (term,):
        said = truth(part, one)[0]
        if said is not True:
            facts = sorted(facts_of(part))
            told = ", ".join(f"{name} is {_shown(ground, name, row)}" for name in facts)
            return f"the condition is {'unknown' if said is None else 'false'}: {told or 'always'}"
    return "the condition holds"


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
    ),
    Function(
        "region",
        _region,
        "the nodes of parent whose fact or label region is this",
        (_PARENT, Parameter("name", Kind.TEXT)),
    ),
)
