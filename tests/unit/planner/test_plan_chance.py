"""A limit looks random and is stable: statistics with fixed names, so that they always say the same.

Bounds are of chi-square at p = 0.999 (Wilson and Hilferty's approximation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dsmt_core.names import Host, PlanName, Slice
from planner.plans import World, evaluate, site_of
from tests.unit.planner.worlds import world_of

SITES = 20
FLEET = tuple(Host(f"n{number:03}.site{number % SITES}.org") for number in range(200))
SLICES = 400


def chi_square(found: Iterable[float], expected: float) -> float:
    return sum((one - expected) ** 2 / expected for one in found)


def bound(freedom: int) -> float:
    return float(freedom * (1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)) ** 0.5) ** 3)


def taken(world: World, count: int, function: str = "limit") -> tuple[Host, ...]:
    return evaluate(PlanName(function), {"count": str(count)}, {}, world).hosts


def slices(world: World) -> Iterable[World]:
    return (replace(world, slice=Slice(f"slice{number}")) for number in range(SLICES))


@pytest.mark.parametrize("function", ["limit", "random"])
def test_over_many_slices_every_node_is_taken_as_often_as_any_other(function: str) -> None:
    often = Counter(host for world in slices(world_of(FLEET)) for host in taken(world, 10, function))
    counts = [often[host] for host in FLEET]
    assert chi_square(counts, SLICES * 10 / len(FLEET)) < bound(len(FLEET) - 1)


def test_what_two_slices_take_is_independent() -> None:
    # Of 200 nodes two draws of 20 have 2 in common on the average.
    draws = [set(taken(world, 20, "random")) for world in slices(world_of(FLEET))]
    common = [len(one & other) for one, other in pairwise(draws)]
    assert abs(float(np.mean(common)) - 2.0) < 4 * float(np.std(common)) / len(common) ** 0.5


def test_a_limit_spreads_over_sites_and_random_does_not() -> None:
    world = world_of(FLEET)
    for one in slices(world):
        sites = Counter(map(site_of, taken(one, SITES)))
        assert set(sites.values()) == {1}
    alone = [len(set(map(site_of, taken(one, SITES, "random")))) for one in slices(world)]
    # Of 20 sites 20 nodes drawn by lot alone meet some 13.
    assert 12 < float(np.mean(alone)) < 14.5


def test_which_sites_come_first_is_by_lot_too() -> None:
    often = Counter(site for one in slices(world_of(FLEET)) for site in map(site_of, taken(one, 5)))
    assert chi_square([often[f"site{number}.org"] for number in range(SITES)], SLICES * 5 / SITES) < bound(
        SITES - 1
    )


def test_nodes_that_come_and_go_move_no_more_than_they_must() -> None:
    world = world_of(FLEET)
    before = set(taken(world, 40))
    gone = set(FLEET[::10])
    after = set(taken(world_of(set(FLEET) - gone, members=before - gone), 40))
    assert before - gone <= after
    assert len(after - before) == len(before & gone)
    # A greater limit keeps all, a smaller one takes none anew.
    assert before < set(taken(world_of(FLEET, members=before), 60))
    assert set(taken(world_of(FLEET, members=before), 20)) < before


def test_the_slice_s_nodes_are_preferred_wherever_they_are() -> None:
    crowd = [host for host in FLEET if site_of(host) == "site0.org"]
    assert set(taken(world_of(FLEET, members=crowd), len(crowd))) == set(crowd)
