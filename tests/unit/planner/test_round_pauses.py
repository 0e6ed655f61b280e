"""What one round leaves for the next: pauses after its own stops, answers under way, and roll-outs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.names import Host, PlanName
from planner.fleet import NodeState
from planner.release import Release
from planner.restraint import CALM_S
from planner.rollout import Rollout, policy
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, hosts, plan, plans, wanted_slice

N0, N1, N2, N3 = hosts(4)


def without(toy: Toy, *those: Host) -> None:
    """By its own idea, as if a fact were wrong, the plan gives these nodes up."""
    named = plans(
        plan("gone", "nodes", list=",".join(those)), plan("rest", "minus", left="all_nodes", right="gone")
    )
    toy.slip(replace(toy.slice, plan=PlanName("rest"), plans={**LIMITED, **named}))


def test_after_a_stop_of_its_own_it_looks_again_when_the_calm_is_over() -> None:
    toy = Toy(4, (wanted_slice("all_nodes"),))
    toy.run()
    without(toy, N0)
    toy.round()
    stopped = toy.now
    assert N0 not in toy.slice.hosts
    assert (toy.sent.timed(stopped + CALM_S - 0.25), toy.sent.timed(stopped + CALM_S)) == (set(), {SLICE})
    toy.now += 1.0
    toy.round()
    assert toy.sent.timed(stopped + CALM_S) == {SLICE}, "nothing is held back, and the calm goes on"
    toy.now = stopped + CALM_S
    toy.round()
    assert toy.sent.timed(1e9) == set()


def test_while_people_have_to_agree_time_changes_nothing() -> None:
    toy = Toy(4, (wanted_slice("all_nodes"),))
    toy.run()
    without(toy, N0, N1)
    toy.round()
    assert toy.sent.timed(1e9) == {SLICE}
    waiting = toy.round().waiting
    assert [one.host for one in waiting if one.to_agree] == [N1]
    assert toy.sent.timed(1e9) == set()


def test_what_has_ended_makes_room_in_the_same_round() -> None:
    one = plans(plan("first", "nodes", list=N0), plan("second", "nodes", list=N1))
    toy = Toy(2, (replace(wanted_slice("first"), plans=one),))
    toy.run()
    toy.change(replace(toy.slice, plan=PlanName("second")))
    leaving = toy.round()
    assert ([order.verb for order in leaving.orders], dict(toy.slice.hosts)) == ([Verb.DELETE], {})
    toy.deliver(leaving.orders)
    [change] = toy.round().changes
    assert ({*change.hosts}, {*change.retired}) == ({N1}, set())


def test_who_asks_while_its_order_is_under_way_waits_for_it_and_later_is_told_at_once() -> None:
    toy = Toy(1)
    node = toy.nodes[N0]
    node.obey(toy.round().orders[0])
    toy.fleet.fold(node.holdings(), now=toy.now)
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)
    begin, told = toy.now, [order.verb for order in toy.round().orders]
    assert told == [Verb.APPCONFIG]
    for seconds, answer in ((0.5, []), (0.75, []), (1.5, [Verb.APPCONFIG])):
        toy.now = begin + seconds
        toy.fleet.fold(node.agent_holdings(SLICE, asks=True), now=toy.now)
        assert [order.verb for order in toy.round().orders] == answer


@pytest.mark.parametrize(("listens_s", "fails"), [(100.0, True), (5.0, False)])
def test_a_roll_out_judges_nobody_by_what_could_not_be_heard(listens_s: float, *, fails: bool) -> None:
    toy = Toy(3)
    toy.run()
    first = min(toy.slice.hosts)
    rules = policy(["1"], min_healthy_s=1.0, deadline_s=60.0, errors="3", need="1%")
    new = Release("1.9-1", toy.slice.applications[APP].packages)
    placed = tuple(one.at(new.name) if one.host == first else one for one in toy.slice.placements)
    before = Release("1.8-1").name
    rollout = Rollout(number=1, before=before, after=new, policy=rules, told={first: toy.now - 100.0})
    toy.change(replace(toy.slice, rollouts={APP: rollout}, placements=placed))
    toy.fleet.judge(first, NodeState.SUSPECT)
    toy.sent.listening_since = toy.now - listens_s
    told = [change.rollouts[APP].failed.keys() for change in toy.round().changes if change.rollouts]
    assert (told == [{first}]) is fails
