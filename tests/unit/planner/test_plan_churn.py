"""A limit's churn: what it exchanges by its own choice, how many, and that it comes to an end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.names import Host, PlanName
from planner.plans import Selection, World, check_plan, evaluate, site_of
from planner.wanted import Plan
from tests.unit.planner.toy import hosts, plan, plans
from tests.unit.planner.worlds import world_of

ALL = hosts(24)
LOADS = {host: {"load1": str(number)} for number, host in enumerate(ALL)}
IDLE = plan("idle", "rank", by="load1")


def select(world: World, *more: Plan, **parameters: str) -> Selection:
    return evaluate(PlanName("limit"), parameters, plans(*more), world)


def test_without_churn_who_is_in_stays_though_others_stand_before_it() -> None:
    world = world_of(ALL, facts=LOADS, members=ALL[-4:])
    assert set(select(world, IDLE, parent="idle", count="4").hosts) == set(ALL[-4:])


def test_with_churn_the_last_make_room_for_the_first_and_it_is_told() -> None:
    world = world_of(ALL, facts=LOADS, members=ALL[-4:])
    selection = select(world, IDLE, parent="idle", count="4", churn="2")
    assert set(selection.hosts) == {*ALL[:2], *ALL[-4:-2]}
    assert selection.reason(ALL[-1]).text == "gives its place to a better one; churn is 2"
    assert selection.reason(ALL[0]).text == ("comes in place of a member that is less good; churn is 2")
    assert selection.reason(ALL[-4]).text == "kept: was a member"
    assert selection.missing == 0


def test_a_share_is_one_at_the_least_and_of_nothing_none() -> None:
    world = world_of(ALL, facts=LOADS, members=ALL[-4:])
    for churn, changed in (("0%", 0), ("1%", 1), ("50%", 2), ("100%", 4), ("999999999", 4)):
        chosen = set(select(world, IDLE, parent="idle", count="4", churn=churn).hosts)
        assert len(chosen - set(ALL[-4:])) == changed, churn


def test_only_the_living_come_in_and_failed_members_go_first() -> None:
    world = world_of(ALL[:6], failed=ALL[:2], doubtful=ALL[2:3], members=ALL[:2])
    assert set(select(world, count="2", churn="1").hosts) & set(ALL[3:6])
    assert len(set(select(world, count="2", churn="1").hosts) & set(ALL[:2])) == 1
    assert not set(select(world, count="2", churn="2").hosts) & set(ALL[:3])
    # A doubtful member is not given up: a heartbeat may only be late.
    late = world_of(ALL[:6], doubtful=ALL[:1], members=ALL[:1])
    assert select(late, count="1", churn="1").hosts == (ALL[0],)


def test_losses_are_replaced_whatever_the_churn() -> None:
    good = plan("good", "minus", left="all_nodes", right="failed")
    world = world_of(ALL, failed=ALL[:5], members=ALL[:8])
    chosen = set(select(world, good, parent="good", count="8", churn="0").hosts)
    assert set(ALL[5:8]) <= chosen
    assert len(chosen) == 8


SUBSETS = st.sets(st.sampled_from(ALL), min_size=1, max_size=12)


@settings(max_examples=40)
@given(SUBSETS, SUBSETS, st.integers(1, 5), st.sampled_from(["all_nodes", "idle"]))
def test_no_more_is_exchanged_than_churn_says_and_it_ends_even_or_in_order(
    members: set[Host], failed: set[Host], churn: int, parent: str
) -> None:
    count = len(members)
    for _ in range(2 * len(ALL)):
        world = world_of(ALL, facts=LOADS, members=members, failed=failed)
        chosen = set(select(world, IDLE, parent=parent, count=str(count), churn=str(churn)).hosts)
        assert len(chosen) == count
        assert len(members - chosen) <= churn
        if chosen == members:
            break
        members = chosen
    else:
        pytest.fail("it goes on for ever")
    living = set(ALL) - failed
    assert len(members & failed) == max(0, count - len(living))
    if parent == "idle":
        order = sorted(living, key=ALL.index)
        assert members & living == set(order[:count])
    elif not failed & members:
        crowd = Counter(map(site_of, members))
        room = Counter(map(site_of, living - members))
        assert all(crowd[there] - crowd[site] <= 1 for site in room for there in crowd)


def test_random_exchanges_nobody_but_the_failed() -> None:
    world = world_of(ALL, members=ALL[:6])
    chosen = evaluate(PlanName("random"), {"count": "6", "churn": "6"}, {}, world).hosts
    assert set(chosen) == set(ALL[:6])


@pytest.mark.parametrize(
    "churn", ["-1", "x", "1.5", "101%", "-1%", "nan%", "5%%", "1e3", "9999999999", "%"]
)
def test_a_churn_that_cannot_be_is_refused(churn: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(plan("p", "limit", count="3", churn=churn), {})
    assert refused.value.message == f"plan p, limit: churn is {churn!r}"
    assert "a whole number, or a share such as 10%" in refused.value.hint
