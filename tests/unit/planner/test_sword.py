"""SWORD queries as a function of plans: exact for one group, bounded for several, sticky, and explained."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.errors import NotFound
from dsmt_core.names import Host, PlanName, Slice
from planner.plans import Ground, Selection, World, check_plan, evaluate
from planner.plans.sword.assignment import FREE, assign
from tests.unit.planner.toy import hosts, plan, plans
from tests.unit.planner.worlds import Facts, world_of

ALL = hosts(9)
PARIS, LONDON, TOKYO = (48.86, 2.35), (51.51, -0.13), (35.68, 139.69)


def group(name: str, count: object, *attributes: str) -> str:
    return f"<group><name>{name}</name><num_machines>{count}</num_machines>{''.join(attributes)}</group>"


def request(*parts: str) -> str:
    return f"<request>{''.join(parts)}</request>"


def select(world: World, query: str, **parameters: str) -> Selection:
    return evaluate(PlanName("sword"), {"query": query, **parameters}, {}, world)


def loads(*numbers: float | None) -> dict[Host, dict[str, str]]:
    told = zip(ALL, numbers, strict=False)
    return {host: {} if number is None else {"load1": str(number)} for host, number in told}


LOAD = "<load1>0.0, 0.0, 1.0, 4.0, 10</load1>"


# One group -------------------------------------------------------------------------------------------


def test_a_group_takes_the_least_penalty_and_none_from_outside_of_the_absolute_range() -> None:
    world = world_of(ALL[:6], facts=loads(5, 3, 0.5, 2, None, 1))
    selection = select(world, request(group("few", 3, LOAD)))
    assert set(selection.hosts) == {ALL[2], ALL[3], ALL[5]}
    assert (selection.missing, selection.bound, selection.notes) == (0, 3, ())
    reasons = {host: selection.reason(host).text for host in ALL[:6]}
    assert reasons[ALL[0]] == "few: load1 is 5, not 0 to 4"
    assert reasons[ALL[1]] == "group few has enough others; its penalty would be 20"
    assert reasons[ALL[3]] == "chosen for group few, penalty 10"
    assert reasons[ALL[4]] == "few: load1 is not known"


def test_texts_have_penalties_too_and_what_is_not_listed_is_ruled_out() -> None:
    facts = {host: {"os": os} for host, os in zip(ALL, ("linux", "bsd", "plan9", "linux"), strict=False)}
    wish = "<os><value>linux, 0.0</value><value>bsd, 5</value></os>"
    selection = select(world_of(ALL[:4], facts=facts), request(group("g", 3, wish)))
    assert set(selection.hosts) == {ALL[0], ALL[1], ALL[3]}
    assert selection.reason(ALL[1]).text.endswith("penalty 5")
    assert selection.reason(ALL[2]).text == "g: os is plan9, not linux or bsd"
    two = select(world_of(ALL[:4], facts=facts), request(group("g", 2, wish)))
    assert set(two.hosts) == {ALL[0], ALL[3]}


def test_it_says_how_many_are_missing_and_why() -> None:
    world = world_of(ALL[:5], facts=loads(5, 9, 0.5, 2, None))
    selection = select(world, request(group("few", 4, LOAD)))
    assert (len(selection.hosts), selection.missing) == (2, 2)
    assert selection.notes == ("group few has 2 of 4: 2 nodes fit its attributes",)
    assert [(loss.function, loss.number) for loss in selection.losses] == [("sword", 3)]


def test_unknown_is_not_false_a_node_of_the_slice_keeps_its_place() -> None:
    world = world_of(ALL[:5], facts=loads(None, 0, 0, 0, 9), members=[ALL[0], ALL[4]])
    selection = select(world, request(group("few", 2, LOAD)))
    assert ALL[0] in selection.hosts
    assert selection.reason(ALL[0]).text == (
        "kept in group few: load1 is not known, and unknown is not false"
    )
    # What is known to be outside goes.
    assert ALL[4] not in selection.hosts


def test_who_is_in_and_still_fits_stays_though_others_would_be_better() -> None:
    world = world_of(ALL[:5], facts=loads(3, 3.5, 0, 0, 0), members=ALL[:2])
    assert set(select(world, request(group("few", 2, LOAD))).hosts) == set(ALL[:2])
    fewer = select(world, request(group("few", 1, LOAD)))
    assert fewer.hosts == (ALL[0],)


def test_all_machines_that_fit_and_ranges_without_an_end() -> None:
    world = world_of(ALL[:5], facts=loads(5, 3, 0.5, 2, None))
    selection = select(world, request(group("g", "all", "<load1>[2 2 MAX max 0]</load1>")))
    assert set(selection.hosts) == {ALL[0], ALL[1], ALL[3]}
    assert (selection.missing, selection.bound) == (0, None)


def test_it_chooses_of_its_parent_and_the_living_first() -> None:
    world = world_of(ALL, failed=ALL[:2], doubtful=ALL[2:4])
    good = plan("good", "minus", left="all_nodes", right="failed")
    query = request(group("g", 7))
    chosen = evaluate(PlanName("sword"), {"parent": "good", "query": query}, plans(good), world)
    assert set(chosen.hosts) == set(ALL[2:])
    assert chosen.reason(ALL[0]).plan == "failed"
    assert set(select(world, request(group("g", 5))).hosts) == set(ALL[4:])


COSTS = st.lists(st.one_of(st.none(), st.integers(0, 6).map(float)), min_size=1, max_size=9)


@given(COSTS, st.integers(1, 6), st.sets(st.sampled_from(ALL)), st.sets(st.sampled_from(ALL)))
def test_one_group_is_as_good_as_the_best_of_all_choices(
    numbers: list[float | None], count: int, members: set[Host], doubtful: set[Host]
) -> None:
    known = ALL[: len(numbers)]
    world = world_of(known, facts=loads(*numbers), members=members, doubtful=doubtful)

    def worth(host: Host, number: float | None) -> tuple[int, float] | None:
        inside = host in members
        if (number is None and not inside) or (number is not None and number > 4):
            return None
        return (3 * (not inside) + (host in doubtful), 10 * max(0.0, (number or 0.0) - 1))

    able = {
        host: found for host, number in zip(known, numbers, strict=True) if (found := worth(host, number))
    }
    chosen = select(world, request(group("g", count, LOAD))).hosts
    number = min(count, len(able))
    least = min(sorted(able[host] for host in some) for some in combinations(able, number))
    assert sorted(able[host] for host in chosen) == least


# Several groups --------------------------------------------------------------------------------------


MATRIX = st.integers(1, 3).flatmap(
    lambda groups: st.lists(
        st.lists(st.one_of(st.just(math.inf), st.integers(0, 5).map(float)), min_size=6, max_size=6),
        min_size=groups,
        max_size=groups,
    )
)


def best_by_hand(
    costs: np.ndarray[tuple[int, int], np.dtype[np.float64]], counts: list[int]
) -> tuple[int, float]:
    """The fewest unfilled places, and of those the least cost, over every way to give the nodes away."""
    best = (0, 0.0)
    for owners in product((FREE, *range(len(counts))), repeat=costs.shape[1]):
        paid = [costs[group, node] for node, group in enumerate(owners) if group != FREE]
        if math.inf not in paid and all(owners.count(group) <= most for group, most in enumerate(counts)):
            best = min(best, (-len(paid), float(sum(paid))))
    return best


@settings(max_examples=60, deadline=None)
@given(MATRIX, st.lists(st.integers(1, 2), min_size=3, max_size=3))
def test_groups_that_share_nodes_are_given_them_as_well_as_can_be(
    matrix: list[list[float]], counts: list[int]
) -> None:
    costs, counts = np.array(matrix), counts[: len(matrix)]
    owners = assign(costs, counts)
    held = np.flatnonzero(owners != FREE)
    assert all(int((owners == group).sum()) <= count for group, count in enumerate(counts))
    assert (-len(held), float(costs[owners[held], held].sum())) == best_by_hand(costs, counts)


def test_two_groups_have_no_node_in_common_and_each_has_what_only_it_can_use() -> None:
    facts = {ALL[0]: {"a": "1"}, ALL[1]: {"a": "1", "b": "1"}, ALL[2]: {"b": "1"}}
    wish = "<{0}>1,1,1,1,0</{0}>"
    query = request(group("A", 1, wish.format("a")), group("B", 2, wish.format("b")))
    selection = select(world_of(ALL[:3], facts=facts), query)
    assert set(selection.hosts) == set(ALL[:3])
    assert selection.reason(ALL[0]).text.startswith("chosen for group A")
    assert selection.reason(ALL[1]).text.startswith("chosen for group B")
    short = select(
        world_of(ALL[:2], facts=facts),
        request(group("A", 2, wish.format("a")), group("B", 1, wish.format("b"))),
    )
    assert short.missing == 1
    assert "of them in other groups" in short.notes[0] or "fits its attributes" in short.notes[0]


def placed(**cities: tuple[float, float]) -> Facts:
    return {
        host: {"lat": str(lat), "lon": str(lon), "city": city}
        for host, (city, (lat, lon)) in zip(ALL, cities.items(), strict=False)
    }


TOWNS = placed(paris=PARIS, tokyo=TOKYO, london=LONDON)


def test_nodes_of_a_group_are_within_a_latency_of_one_another() -> None:
    selection = select(
        world_of(ALL[:3], facts=TOWNS), request(group("near", 2, "<latency>0,0,2,5,1</latency>"))
    )
    assert set(selection.hosts) == {ALL[0], ALL[2]}
    far = select(world_of(ALL[:3], facts=TOWNS), request(group("near", 3, "<latency>0,0,2,5,1</latency>")))
    assert far.missing == 1
    assert far.notes[0] == (
        "group near has 2 of 3: 3 nodes fit its attributes; "
        "the others cannot be beside those that were found"
    )
    assert far.reason(ALL[1]).text.startswith("group near has no place for it beside the others")
    assert "bounded search" in far.notes[1]


def test_a_place_that_is_not_told_is_near_to_nobody_but_what_is_in_stays() -> None:
    query = request(group("near", 2, "<distance>0,0,500,500,1</distance>"))
    facts = {ALL[0]: TOWNS[ALL[0]], ALL[1]: {}, ALL[2]: TOWNS[ALL[2]]}
    assert set(select(world_of(ALL[:3], facts=facts), query).hosts) == {ALL[0], ALL[2]}
    stays = select(world_of(ALL[:3], facts=facts, members=ALL[:2]), query)
    assert set(stays.hosts) == set(ALL[:2])


def test_groups_are_far_from_one_another_or_in_the_same_place() -> None:
    city = "<city><value>{}, 0</value></city>"
    near = "<constraint><group_names>A B</group_names><latency>0, 0, 5, 10, 1</latency></constraint>"
    both = [group("A", 1, city.format("paris")), group("B", 1)]
    world = world_of(ALL[:3], facts=TOWNS)
    assert set(select(world, request(*both, near)).hosts) == {ALL[0], ALL[2]}
    far = near.replace("0, 0, 5, 10, 1", "50 50 max max 0")
    assert set(select(world, request(*both, far)).hosts) == {ALL[0], ALL[1]}
    apart = "<constraint><group_names>A,B</group_names><different>site</different></constraint>"
    sites = {site.partition(".")[2] for site in select(world_of(ALL), request(*both_sites(), apart)).hosts}
    assert len(sites) == 2
    alike = apart.replace("different", "same")
    sites = {site.partition(".")[2] for site in select(world_of(ALL), request(*both_sites(), alike)).hosts}
    assert len(sites) == 1


def both_sites() -> list[str]:
    return [group("A", 1), group("B", 1)]


def test_every_two_of_a_group_are_at_different_sites() -> None:
    selection = select(world_of(ALL), request(group("wide", 3, "<different>site</different>")))
    assert len({host.partition(".")[2] for host in selection.hosts}) == 3
    more = select(world_of(ALL), request(group("wide", 4, "<different>site</different>")))
    assert more.missing == 1


PLACES = st.lists(
    st.tuples(st.integers(-60, 60).map(float), st.integers(0, 40).map(float)), min_size=3, max_size=7
)


def cost_by_hand(places: list[tuple[float, float]], some: tuple[int, ...]) -> float:
    total = 0.0
    for one, other in combinations(some, 2):
        (lat1, lon1), (lat2, lon2) = (map(math.radians, places[place]) for place in (one, other))
        half = math.sin((lat2 - lat1) / 2) ** 2
        half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        km = 2 * 6371.0088 * math.asin(math.sqrt(half))
        total += math.inf if km > 6_000 else max(0.0, km - 1_000)
    return total


@settings(max_examples=60, deadline=None)
@given(PLACES, st.integers(2, 4))
def test_a_search_breaks_no_requirement_and_its_gap_holds(
    places: list[tuple[float, float]], count: int
) -> None:
    known = ALL[: len(places)]
    facts = {
        host: {"lat": str(lat), "lon": str(lon)} for host, (lat, lon) in zip(known, places, strict=True)
    }
    query = request(group("g", count, "<distance>0,0,1000,6000,1</distance>"))
    selection = select(world_of(known, facts=facts), query)
    mine = tuple(known.index(host) for host in selection.hosts)
    assert cost_by_hand(places, mine) < math.inf
    number = min(count, len(places))
    best = min(cost_by_hand(places, some) for some in combinations(range(len(places)), number))
    if len(mine) == number:
        assert cost_by_hand(places, mine) >= best - 1e-3
        claims = not any("bounded search" in note for note in selection.notes)
        assert not claims or cost_by_hand(places, mine) <= best + 1e-3
    # On so few nodes every one of them is a beginning; it has found as many as there can be.
    assert (len(mine) == number) == (best < math.inf)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from(ALL)), st.integers(1, 3))
def test_choosing_again_changes_nothing(members: set[Host], count: int) -> None:
    query = request(
        group("A", count, "<different>site</different>"),
        group("B", 2),
        "<constraint><group_names>A B</group_names><different>host</different></constraint>",
    )
    once = select(world_of(ALL, members=members), query).hosts
    assert select(world_of(ALL, members=once), query).hosts == once
    assert select(world_of(ALL, members=members), query).hosts == once


def test_losing_one_replaces_that_one() -> None:
    query = request(group("A", 3, "<latency>0,0,max,max,0</latency>"), group("B", 2))
    facts = {host: {"lat": "1", "lon": str(number)} for number, host in enumerate(ALL)}
    before = set(select(world_of(ALL, facts=facts), query).hosts)
    lost = min(before)
    good = plan("good", "minus", left="all_nodes", right="failed")
    world = world_of(ALL, facts=facts, members=before, failed=[lost])
    after = evaluate(PlanName("sword"), {"parent": "good", "query": query}, plans(good), world)
    assert before - {lost} < set(after.hosts)


# Sizes -----------------------------------------------------------------------------------------------


def great(number: int) -> World:
    luck = np.random.default_rng(1)
    known = [Host(f"n{one:06}.s{one % 500}.org") for one in range(number)]
    facts = {
        "load1": [f"{one:.2f}" for one in luck.uniform(0, 5, number)],
        "lat": [f"{one:.3f}" for one in luck.uniform(-80, 80, number)],
        "lon": [f"{one:.3f}" for one in luck.uniform(-180, 180, number)],
    }
    nobody = np.zeros(number, dtype=np.bool_)
    ground = Ground(known, facts, facts.__getitem__)
    return World(slice=Slice("s"), ground=ground, trust=nobody.astype(np.int8), members=nobody)


def test_a_hundred_thousand_nodes_are_chosen_from_at_once() -> None:
    world = great(100_000)
    one = request(group("g", 100, LOAD))
    select(world, one)
    began = time.process_time()
    assert len(select(world, one).hosts) == 100
    assert time.process_time() - began < 1.0
    pairs = request(group("A", 8, LOAD, "<latency>0,0,10,30,1</latency>"), group("B", 8, LOAD))
    began = time.process_time()
    assert len(select(world, pairs).hosts) == 16
    assert time.process_time() - began < 8.0


def test_a_service_that_is_as_it_should_be_is_not_searched_for_again() -> None:
    world = great(100_000)
    pairs = request(group("A", 8, LOAD, "<latency>0,0,10,30,1</latency>"), group("B", 8, LOAD))
    began = time.process_time()
    chosen = select(world, pairs)
    searched = time.process_time() - began
    settled = replace(world, members=chosen.part.mask)
    began = time.process_time()
    assert select(settled, pairs).hosts == chosen.hosts
    assert time.process_time() - began < searched / 2


def test_a_fleet_of_no_nodes_lacks_all() -> None:
    selection = select(world_of([]), request(group("A", 2, LOAD), group("B", 1)))
    assert (selection.hosts, selection.missing) == ((), 3)
    assert selection.notes == (
        "group A has 0 of 2: 0 nodes fit its attributes",
        "group B has 0 of 1: 0 nodes fit its attributes",
    )
    assert select(world_of([]), request(group("A", 2, LOAD))).missing == 2


def test_a_fact_that_nobody_tells_is_refused_with_the_nearest() -> None:
    ground = world_of(ALL, facts=loads(1)).ground
    check_plan(plan("p", "sword", query=request(group("g", 1, LOAD))), {}, known=ground)
    bad = request(group("g", 1, LOAD.replace("load1", "laod1")))
    with pytest.raises(NotFound) as refused:
        check_plan(plan("p", "sword", query=bad), {}, known=ground)
    assert "did you mean load1?" in refused.value.hint
