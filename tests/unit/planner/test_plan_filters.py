"""Filters and exchanges by their values: who is in, who stays because nothing is known, and why."""

from __future__ import annotations

import pytest

from dsmt_core.names import Host, PlanName
from planner.plans import Selection, evaluate
from planner.wanted import Plan
from tests.unit.planner.toy import plan, plans
from tests.unit.planner.worlds import Facts, world_of

A, B, C, D, E, F = (Host(name) for name in "abcdef")
ALL = A, B, C, D
FACTS: Facts = {
    A: {"load1": "1", "os": "linux", "region": "asia", "lat": "0", "lon": "0"},
    B: {"load1": "3", "os": "bsd", "region": "europe", "lat": "0", "lon": "90"},
    C: {"os": "o" * 61, "lat": "10"},
    D: {"load1": "1"},
}
KEPT = "kept, as unknown is not false: "


def select(plan_: str, *more: Plan, members: tuple[Host, ...] = (), **parameters: str) -> Selection:
    world = world_of(ALL, facts=FACTS, members=members)
    return evaluate(PlanName(plan_), parameters, plans(*more), world)


def reasons(selection: Selection) -> dict[Host, str]:
    return {host: selection.reason(host).text for host in ALL}


def test_where_says_what_the_part_that_decides_is_about() -> None:
    selection = select("where", expr="load1 < 2 and os = 'linux'", members=(C, D))
    assert selection.hosts == (A, D)
    assert reasons(selection) == {
        A: "is a node",
        B: "the condition is false: load1 is 3",
        C: f"the condition is false: os is {'o' * 60}",
        D: f"{KEPT}the condition is unknown: os is not known",
    }


def test_where_tells_all_facts_of_a_part_and_not_more_of_each_than_is_read() -> None:
    either = reasons(select("where", expr="load1 > 9 or os = 'x'"))
    assert either[A] == "the condition is false: load1 is 1, os is linux"
    assert either[C] == f"the condition is unknown: load1 is not known, os is {'o' * 60}"
    assert reasons(select("where", expr="1 = 2"))[A] == "the condition is false: always"


def test_near_says_how_far_away_each_is() -> None:
    selection = select("near", lat="0", lon="0", km="1000", members=(C,))
    assert selection.hosts == (A, C)
    assert reasons(selection) == {
        A: "is a node",
        B: "it is 10008 km away, not within 1000",
        C: f"{KEPT}it does not tell where it is",
        D: "it does not tell where it is",
    }
    assert select("near", lat="0", lon="90", km="1").hosts == (B,)
    assert select("near", lat="0", lon="180", km="10007").hosts == ()
    assert select("near", lat="0", lon="180", km="10008").hosts == (B,)
    # Half way round, and beyond, everything is near that tells where it is.
    assert select("near", lat="0", lon="-90", km="20016").hosts == (A, B)
    assert (
        reasons(select("near", lat="0", lon="-90", km="20000"))[B]
        == "it is 20015 km away, not within 20000"
    )
    assert (
        reasons(select("near", lat="90", lon="0", km="10000"))[A] == "it is 10008 km away, not within 10000"
    )


def test_region_keeps_who_is_in_and_has_not_told() -> None:
    selection = select("region", name="asia", members=(B, C))
    assert selection.hosts == (A, C)
    assert reasons(selection) == {
        A: "is a node",
        B: "its region is europe",
        C: f"{KEPT}its region is not known",
        D: "its region is not known",
    }


def test_who_is_not_in_the_parent_is_told_why_by_the_parent() -> None:
    few = plan("few", "nodes", list="a,b")
    selection = select("region", few, name="asia", parent="few", members=(C,))
    assert selection.hosts == (A,)
    assert reasons(selection)[C] == "not named"
    assert reasons(selection)[A] == "named"
    assert selection.bound == 2
    assert [(loss.plan, loss.function, loss.number) for loss in selection.losses] == [
        ("region", "region", 1)
    ]


def test_nobody_is_taken_away_for_what_is_not_known() -> None:
    asia = Plan(PlanName("asia"), "region", {"name": "asia"})
    for members in ((), (C,), (C, D)):
        selection = select("minus", asia, left="all_nodes", right="asia", members=members)
        assert selection.hosts == (B, C, D)


# -- exchanges ------------------------------------------------------------------------------------------

SITES = {A: "x", B: "x", C: "x", D: "y", E: "y", F: "z"}
LOADS = {A: "5", B: "4", C: "3", D: "2", E: "2", F: "1"}


def drawn(
    *members: Host, count: int, churn: str, failed: tuple[Host, ...] = (), ranked: bool = False
) -> set[Host]:
    facts: Facts = {host: {"site": site, "load1": LOADS[host]} for host, site in SITES.items()}
    world = world_of(SITES, facts=facts, members=members, failed=failed)
    idle = plan("idle", "rank", by="load1")
    parent = "idle" if ranked else "all_nodes"
    parameters = {"count": str(count), "churn": churn, "parent": parent}
    return set(evaluate(PlanName("limit"), parameters, plans(idle), world).hosts)


@pytest.mark.parametrize(
    ("members", "churn", "failed", "chosen"),
    [
        ((A, B, C), "0", (), {A, B, C}),
        ((A, B, C), "1", (), {B, C, F}),
        ((A, B, C), "3", (), {D, E, F}),
        ((A, D, E), "3", (), {D, E, F}),
        # Who is as good stays.
        ((D, F), "2", (), {D, F}),
        ((E, F), "2", (), {E, F}),
        ((E, F), "2", (E,), {D, F}),
        ((D, E), "2", (F,), {D, E}),
    ],
)
def test_in_order_the_last_are_exchanged_for_the_first_that_stand_before_them(
    members: tuple[Host, ...], churn: str, failed: tuple[Host, ...], chosen: set[Host]
) -> None:
    assert drawn(*members, count=len(members), churn=churn, failed=failed, ranked=True) == chosen


@pytest.mark.parametrize(
    ("members", "churn", "failed", "chosen"),
    [
        ((A, B, C), "0", (), {A, B, C}),
        # Among equals the lots decide, which never change.
        ((A, B, C), "1", (), {A, B, D}),
        ((A, B, C), "2", (), {B, D, F}),
        ((A, B, C), "3", (), {B, D, F}),
        ((A, B, D), "3", (), {B, D, F}),
        # A site that has one fewer is no better.
        ((A, D), "2", (), {A, D}),
        ((A, B, D, E), "4", (), {A, B, D, F}),
        ((A, B, C, D), "4", (), {A, B, D, F}),
        # Who failed goes first, wherever that leads to; who failed does not come.
        ((A, D), "0", (A,), {A, D}),
        ((A, D), "1", (A,), {B, D}),
        ((A, B), "1", (A, B), {B, D}),
        ((B, C, D), "1", (D,), {B, C, F}),
        ((D, F), "1", (F,), {B, D}),
        ((A, B, C), "1", (D, E, F), {A, B, C}),
    ],
)
def test_without_an_order_members_go_from_where_there_are_many_to_where_there_are_few(
    members: tuple[Host, ...], churn: str, failed: tuple[Host, ...], chosen: set[Host]
) -> None:
    assert drawn(*members, count=len(members), churn=churn, failed=failed) == chosen
