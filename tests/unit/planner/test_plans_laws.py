"""Laws of the plan algebra, tried on many worlds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Conflict
from dsmt_core.names import Host, PlanName
from planner.plans import World, check_plan, evaluate, site_of
from planner.wanted import Plan
from tests.unit.planner.toy import hosts, plan, plans
from tests.unit.planner.worlds import named, world_of

ALL = hosts(24)
subsets = st.sets(st.sampled_from(ALL)).map(frozenset)


def world(known: frozenset[Host], failed: frozenset[Host], members: frozenset[Host]) -> World:
    return world_of(known, failed=failed & known, members=members & known)


worlds = st.builds(world, subsets, subsets, subsets)
LIVING = plans(plan("good", "minus", left="all_nodes", right="failed"), plan("some", "limit", count="7"))


def chosen(name: str, world_: World, **parameters: str) -> frozenset[Host]:
    return frozenset(evaluate(PlanName(name), parameters, LIVING, world_).hosts)


@given(worlds, st.integers(1, 30))
def test_a_limit_never_drops_a_member_that_qualifies(world_: World, count: int) -> None:
    taken = chosen("limit", world_, parent="good", count=str(count))
    members = named(world_, world_.members & ~world_.failed)
    if len(members) <= count:
        assert members <= taken
    else:
        assert taken <= members


@given(worlds, st.integers(1, 30))
def test_a_limit_is_never_exceeded_and_filled_when_it_can_be(world_: World, count: int) -> None:
    selection = evaluate(PlanName("limit"), {"parent": "good", "count": str(count)}, LIVING, world_)
    qualified = int((~world_.failed).sum())
    assert len(selection.hosts) == min(count, qualified)
    assert selection.missing == max(count - qualified, 0)


@given(worlds, st.integers(1, 30))
def test_evaluating_again_changes_nothing(world_: World, count: int) -> None:
    once = chosen("limit", world_, count=str(count))
    again = world_of(named(world_), failed=named(world_, world_.failed), members=once)
    assert chosen("limit", again, count=str(count)) == once


@given(worlds, st.integers(1, 30))
def test_a_loss_replaces_only_what_was_lost(world_: World, count: int) -> None:
    before = chosen("limit", world_, parent="good", count=str(count))
    lost = frozenset(sorted(before)[:1])
    after = world_of(named(world_), failed=named(world_, world_.failed) | lost, members=before)
    kept = chosen("limit", after, parent="good", count=str(count))
    assert before - lost <= kept
    assert len(kept - before) <= len(lost)


@given(worlds)
def test_the_laws_of_sets_hold(world_: World) -> None:
    good, bad = chosen("good", world_), chosen("failed", world_)
    assert good | bad == named(world_)
    assert not good & bad
    for left, right in (("good", "some"), ("some", "failed")):
        mine, other = chosen(left, world_), chosen(right, world_)
        assert chosen("union", world_, left=left, right=right) == mine | other
        assert chosen("intersect", world_, left=left, right=right) == mine & other


@given(worlds)
def test_every_host_has_a_reason_and_is_on_one_side(world_: World) -> None:
    selection = evaluate(PlanName("limit"), {"parent": "good", "count": "5"}, LIVING, world_)
    inside, outside = dict(selection.chosen()), dict(selection.left_out())
    assert inside.keys() | outside.keys() == named(world_)
    assert not inside.keys() & outside.keys()
    assert all((inside | outside).values())


@given(st.integers(1, 9))
def test_with_equal_sites_the_spread_differs_by_one_at_most(count: int) -> None:
    even = world_of(frozenset(ALL))
    taken = [site_of(host) for host in chosen("limit", even, count=str(count))]
    numbers = [taken.count(site) for site in {site_of(host) for host in ALL}]
    assert max(numbers) - min(numbers) <= 1


names = st.sampled_from(["a", "b", "c", "d", "e"])


@given(st.lists(st.tuples(names, names, names), max_size=25))
def test_however_plans_are_defined_what_is_stored_has_no_cycle(steps: list[tuple[str, str, str]]) -> None:
    stored = plans(*(plan(name, "all_nodes") for name in "abcde"))
    everything = world_of(frozenset(ALL))
    for name, left, right in steps:
        another: Plan = plan(name, "union", left=left, right=right)
        try:
            check_plan(another, stored)
        except Conflict as error:
            assert " -> " in error.message  # noqa: PT017 - either outcome is right, a third is not
        else:
            stored[another.name] = another
        assert evaluate(PlanName(name), {}, stored, everything).hosts
