"""The functions that filter, limit and order, each against the same done by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import DsmtError, Invalid, NotFound
from dsmt_core.names import Host, PlanName
from planner.plans import Selection, World, check_in_force, check_plan, evaluate, site_of
from planner.plans.lots import bases, lots
from planner.plans.world import Doing
from planner.wanted import Plan
from tests.unit.planner.toy import SLICE, hosts, plan, plans
from tests.unit.planner.worlds import world_of

ALL = hosts(24)
CITIES = {
    "tokyo": (35.68, 139.69),
    "paris": (48.86, 2.35),
    "lima": (-12.05, -77.04),
    "suva": (-18.14, 178.44),
}
PLACED = {
    host: {
        "city": city,
        "lat": str(CITIES[city][0]),
        "longitude": str(CITIES[city][1]),
        "region": "asia" if city == "tokyo" else "elsewhere",
        "load1": str(number % 7),
    }
    for number, (host, city) in enumerate(zip(ALL[:20], [*CITIES] * 5, strict=True))
}


def select(plan_: str, world: World, *more: Plan, **parameters: str) -> Selection:
    return evaluate(PlanName(plan_), parameters, plans(*more), world)


def cities(chosen: Iterable[Host]) -> set[str]:
    return {PLACED[host]["city"] for host in chosen}


# Where ------------------------------------------------------------------------------------------------


def test_where_keeps_what_satisfies_and_tells_the_others_which_part_failed() -> None:
    world = world_of(ALL, facts=PLACED)
    selection = select("where", world, expr="region = 'asia' and load1 < 3")
    assert selection.hosts
    assert all(
        PLACED[host]["city"] == "tokyo" and int(PLACED[host]["load1"]) < 3 for host in selection.hosts
    )
    reasons = {host: reason.text for host, reason in selection.left_out()}
    assert reasons[ALL[1]] == "the condition is false: region is elsewhere"
    assert reasons[ALL[4]] == "the condition is false: load1 is 4"
    assert reasons[ALL[23]] == "the condition is unknown: region is not known"
    assert {reason.function for _, reason in selection.left_out()} == {"where"}


def test_what_is_unknown_qualifies_neither_way() -> None:
    world = world_of(ALL, facts=PLACED)
    either = {
        *select("where", world, expr="load1 < 3").hosts,
        *select("where", world, expr="not load1 < 3").hosts,
    }
    assert either == set(ALL[:20])
    assert set(select("where", world, expr="load1 is null").hosts) == set(ALL[20:])


def test_a_label_of_a_host_is_a_fact_and_an_unknown_fact_is_refused_with_the_nearest() -> None:
    ground = world_of(ALL, facts=PLACED).ground
    check_in_force(
        PlanName("where"), {"expr": "city = 'lima' and site <> 'x' and host like 'n%'"}, {}, known=ground
    )
    with pytest.raises(NotFound) as refused:
        check_plan(plan("p", "where", expr="ctiy = 'lima'"), {}, known=ground)
    assert "ctiy" in refused.value.message
    assert "city" in refused.value.hint
    # A fleet that has told nothing yet cannot know better.
    check_plan(plan("p", "where", expr="ctiy = 'lima'"), {}, known=world_of(ALL).ground)
    assert select("where", world_of([]), expr="a = 1").hosts == ()


# Near, region -----------------------------------------------------------------------------------------


def km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The haversine formula, which `near` does not use."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(1, 20_000))
def test_near_is_within_so_many_km_by_the_great_circle(lat: float, lon: float, within: float) -> None:
    world = world_of(ALL, facts=PLACED)
    chosen = cities(select("near", world, lat=str(lat), lon=str(lon), km=str(within)).hosts)
    for city, place in CITIES.items():
        away = km((lat, lon), place)
        if abs(away - within) > 1.0:
            assert (city in chosen) == (away < within)


def test_near_tells_how_far_away_and_that_a_place_is_not_known() -> None:
    selection = select("near", world_of(ALL, facts=PLACED), lat="35", lon="139", km="500")
    assert cities(selection.hosts) == {"tokyo"}
    reasons = {host: reason.text for host, reason in selection.left_out()}
    assert reasons[ALL[1]].startswith("it is 9")
    assert reasons[ALL[1]].endswith(" km away, not within 500")
    assert reasons[ALL[23]] == "it does not tell where it is"
    nowhere = select("near", world_of(ALL), lat="35", lon="139", km="500")
    assert (nowhere.hosts, nowhere.reason(ALL[0]).text) == ((), "it does not tell where it is")
    # Over the date line.
    assert cities(select("near", world_of(ALL, facts=PLACED), lat="-18", lon="-179", km="400").hosts) == {
        "suva"
    }


def test_region_is_a_fact_or_label() -> None:
    selection = select("region", world_of(ALL, facts=PLACED), name="asia")
    assert cities(selection.hosts) == {"tokyo"}
    assert selection.reason(ALL[1]).text == "its region is elsewhere"
    assert selection.reason(ALL[23]).text == "its region is not known"
    assert select("region", world_of(ALL), name="asia").hosts == ()


# Status -----------------------------------------------------------------------------------------------


def test_status_selects_where_an_application_is_in_a_state() -> None:
    def states(asked: Doing) -> list[Host]:
        return [ALL[3]] if (asked.application, asked.state) in {("db", "running"), ("", "running")} else []

    world = world_of(ALL, states=states)
    selection = select("status", world, app="db", state="running")
    assert selection.hosts == (ALL[3],)
    assert selection.reason(ALL[3]).text == "db is running"
    assert selection.reason(ALL[4]).text == "db is not running"
    assert select("status", world, state="running").hosts == (ALL[3],)
    assert select("status", world, state="failed").hosts == ()


def test_status_of_another_slice_keeps_members_for_a_grace() -> None:
    asked: list[Doing] = []

    def states(doing: Doing) -> list[Host]:
        asked.append(doing)
        return [ALL[3], *([ALL[4], ALL[5]] if doing.lately_s else [])]

    world = world_of(ALL, states=states, members=ALL[4:5])
    selection = select("status", world, app="db", state="running", slice="s2", grace="30")
    assert selection.hosts == (ALL[3], ALL[4])
    assert {(one.slice, one.lately_s) for one in asked} == {("s2", 0.0), ("s2", 30.0)}
    assert selection.reason(ALL[3]).text == "db of s2 is running"
    assert selection.reason(ALL[4]).text == "kept: db of s2 was running less than 30 s ago"
    assert selection.reason(ALL[5]).text == "db of s2 is not running"


# Limits -----------------------------------------------------------------------------------------------


def drawn_by_hand(world: World, count: int) -> set[Host]:
    """One host after the other, as the words say it: members, trust, the fewest at the site, the lot."""
    ground = world.ground
    every = np.arange(len(ground))
    lot = dict(zip(ground.hosts, world.lots("limit", every), strict=True))
    trust = dict(zip(ground.hosts, world.trust, strict=True))
    member = dict(zip(ground.hosts, world.members, strict=True))
    left, taken = set(lot), list[Host]()
    while left and len(taken) < count:
        at_site = Counter(map(site_of, taken))
        best = min(
            left, key=lambda host: (not member[host], trust[host], at_site[site_of(host)], lot[host])
        )
        left.remove(best)
        taken.append(best)
    return set(taken)


SUBSETS = st.sets(st.sampled_from(ALL))


@given(SUBSETS, SUBSETS, SUBSETS, st.integers(1, 26))
def test_a_limit_takes_what_one_would_take_by_hand(
    failed: set[Host], doubtful: set[Host], members: set[Host], count: int
) -> None:
    world = world_of(ALL, failed=failed, doubtful=doubtful, members=members)
    assert set(select("limit", world, count=str(count)).hosts) == drawn_by_hand(world, count)


@pytest.mark.parametrize(("percent", "number"), [("50", 12), ("1", 1), ("100", 24), ("33.4", 9)])
def test_a_limit_in_percent_counts_up(percent: str, number: int) -> None:
    selection = select("limit", world_of(ALL), percent=percent)
    assert (len(selection.hosts), selection.missing, selection.bound) == (number, 0, number)


@given(SUBSETS, st.integers(1, 24))
def test_random_is_by_lot_alone_and_sticky(members: set[Host], count: int) -> None:
    world = world_of(ALL, members=members)
    chosen = set(select("random", world, count=str(count)).hosts)
    assert len(chosen) == count
    assert chosen >= members or chosen <= members
    every = np.arange(len(ALL))
    order = dict(zip(world.ground.hosts, world.lots("random", every), strict=True))
    fresh = sorted(set(ALL) - members, key=order.__getitem__)
    assert chosen - members == set(fresh[: max(0, count - len(members))])


@given(SUBSETS, SUBSETS, st.integers(1, 9))
def test_site_keeps_at_most_so_many_of_each_and_first_who_is_in(
    members: set[Host], failed: set[Host], most: int
) -> None:
    selection = select("site", world_of(ALL, members=members, failed=failed), max_per_site=str(most))
    for site in map(site_of, ALL):
        there = {host for host in ALL if site_of(host) == site}
        taken = there & set(selection.hosts)
        assert len(taken) == min(most, len(there))
        assert taken >= members & there or taken <= members & there
        if not members & there and len(there - failed) >= most:
            assert not taken & failed
    assert all("already" in reason.text for _, reason in selection.left_out())


def test_a_limit_takes_the_ranked_in_order_and_the_unknown_last() -> None:
    world = world_of(ALL, facts=PLACED)
    idle, busy = plan("idle", "rank", by="load1"), plan("busy", "rank", by="load1", order="desc")
    least = select("limit", world, idle, parent="idle", count="3").hosts
    assert {PLACED[host]["load1"] for host in least} == {"0"}
    most = select("limit", world, busy, parent="busy", count="2").hosts
    assert {PLACED[host]["load1"] for host in most} == {"6"}
    assert set(select("limit", world, idle, parent="idle", count="20").hosts) == set(ALL[:20])
    assert set(select("limit", world, idle, parent="idle", count="23").hosts) > set(ALL[:20])
    # A fact that nobody tells orders nothing.
    assert len(select("limit", world, plan("p", "rank", by="x"), parent="p", count="3").hosts) == 3


def test_a_limit_spreads_over_what_is_asked_for() -> None:
    world = world_of(ALL, facts=PLACED)
    known = plan("known", "where", expr="city is not null")
    wide = plan("wide", "spread", parent="known", by="city")
    assert cities(select("limit", world, known, wide, parent="wide", count="4").hosts) == set(CITIES)
    many = select("limit", world, known, wide, parent="wide", count="10").hosts
    assert sorted(Counter(PLACED[host]["city"] for host in many).values()) == [2, 2, 3, 3]


@pytest.mark.parametrize("name", ["limit", "random", "site", "near", "where", "region", "status"])
def test_a_fleet_of_no_nodes_selects_none(name: str) -> None:
    needed = {
        "limit": {"count": "3"},
        "random": {"percent": "10"},
        "near": {"lat": "0", "lon": "0", "km": "1"},
        "where": {"expr": "load1 < 2"},
        "region": {"name": "asia"},
        "status": {"is": "running"},
    }
    selection = evaluate(PlanName(name), needed.get(name, {}), {}, world_of([]))
    assert (selection.hosts, selection.left_out()) == ((), [])


def test_the_order_outlives_what_is_taken_away() -> None:
    world = world_of(ALL, facts=PLACED, failed=ALL[:1])
    idle = plan("idle", "rank", by="load1")
    good = plan("good", "minus", left="idle", right="failed")
    least = plan("least", "limit", parent="good", count="2")
    assert set(select("least", world, idle, good, least).hosts) == {ALL[7], ALL[14]}


# Lots -------------------------------------------------------------------------------------------------


def test_lots_are_those_of_the_paper_s_arithmetic() -> None:
    def mixed(number: int) -> int:
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            number = (number ^ (number >> shift)) * factor % (1 << 64)
        return number ^ (number >> 31)

    base = bases(ALL)
    where = bases([Host(f"{SLICE}\0limit")])[0]
    drawn = lots(base, f"{SLICE}\0limit").tolist()
    assert drawn == [mixed(one ^ int(where)) for one in base.tolist()]
    assert base[0] == 14_867_729_137_768_067_978


def test_each_plan_has_lots_of_its_own_that_look_random() -> None:
    base = bases(hosts(2_000))
    one, other = lots(base, "one"), lots(base, "other")
    assert len(np.unique(one)) == 2_000
    assert abs(np.corrcoef(one.argsort().argsort(), other.argsort().argsort())[0, 1]) < 0.1


# What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "kind", "message", "hint"),
    [
        (
            plan("p", "limit", count="3", percent="5"),
            Invalid,
            "plan p, limit: count and percent contradict each other",
            "give one of them",
        ),
        (
            plan("p", "limit", percent="0"),
            Invalid,
            "plan p, limit: percent is '0'",
            "it takes a number above 0 and at most 100",
        ),
        (
            plan("p", "limit", percent="101"),
            Invalid,
            "plan p, limit: percent is '101'",
            "it takes a number above 0 and at most 100",
        ),
        (
            plan("p", "limit", percent="nan"),
            Invalid,
            "plan p, limit: percent is 'nan'",
            "it takes a number above 0 and at most 100",
        ),
        (
            plan("p", "near", lat="91", lon="0", km="1"),
            Invalid,
            "plan p, near: lat is '91'",
            "it takes a number from -90 to 90",
        ),
        (
            plan("p", "near", lat="0", lon="x", km="1"),
            Invalid,
            "plan p, near: lon is 'x'",
            "it takes a number from -180 to 180",
        ),
        (
            plan("p", "near", lat="0", lon="0", km="inf"),
            Invalid,
            "plan p, near: km is 'inf'",
            "it takes a number from 0 to 20016",
        ),
        (plan("p", "near", lat="0", lon="0"), Invalid, "plan p, near: km is missing", "it takes a number"),
        (
            plan("p", "where"),
            Invalid,
            "plan p, where: expr is missing",
            "it takes a condition such as \"country in ('CN','JP') and load1 < 2\"",
        ),
        (
            plan("p", "where", expr="a <"),
            Invalid,
            "plan p, where: expr: the condition is not understood at column 3, near 'a <'",
            "such as \"country in ('CN','JP') and load1 < 2\"; docs/reference/plans.md has all of it",
        ),
        (
            plan("p", "where", expr=" "),
            Invalid,
            "plan p, where: expr is empty",
            "it takes a condition such as \"country in ('CN','JP') and load1 < 2\"",
        ),
        (
            plan("p", "status", **{"is": "runing"}),
            Invalid,
            "plan p, status: is is 'runing'",
            (
                "it takes one of undefined, requested, instantiated, initialized, installed, running, "
                "failed, terminated"
            ),
        ),
        (
            plan("p", "rank", by="x", order="up"),
            Invalid,
            "plan p, rank: order is 'up'",
            "it takes one of asc, desc",
        ),
        (plan("p", "region"), Invalid, "plan p, region: name is missing", "it takes a text"),
        (
            plan("p", "site", max_per_site="0"),
            Invalid,
            "plan p, site: max_per_site is '0'",
            "it takes a whole number of at least 1",
        ),
        (
            plan("p", "minus", left="random", right="failed"),
            Invalid,
            "plan p, minus: left names the function random, which needs count or percent",
            "make a plan of it first: plan set --plan NAME --base random …",
        ),
    ],
)
def test_a_bad_parameter_is_refused_with_its_place(
    bad: Plan, kind: type[DsmtError], message: str, hint: str
) -> None:
    with pytest.raises(kind) as refused:
        check_plan(bad, {})
    assert (refused.value.message, refused.value.hint) == (message, hint)
