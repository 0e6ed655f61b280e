"""What a round answers besides the orders for its slices: what waits, what is asked, what is due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from dsmt_core.nodes import digest
from planner.budget import budget
from planner.fleet import Dirty, Fits, NodeState
from planner.reconcile import SentOrders, reconcile
from planner.reconcile.asked import asked_of
from planner.release import Release
from planner.restraint import CALM_S, Restraint
from planner.rollout import Rollout, policy
from planner.standing import Drain, Standing
from planner.steps import Round, Waiting
from planner.wanted import Wanted
from tests.unit.planner.test_round_scope import FAR, N0, N1, OTHER, two
from tests.unit.planner.toy import APP, SLICE, Toy, hosts


def round_(toy: Toy, only: Dirty | None = None) -> Round:
    return reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now, only=only)


def test_a_round_over_few_hosts_says_so_and_says_what_waits_there() -> None:
    toy = two()
    first, second, _ = sorted(toy.slice.hosts)
    round_(toy)
    for host in (first, second):
        node = toy.nodes[host]
        node.applications[SLICE][APP] = replace(node.applications[SLICE][APP], state=State.FAILED)
        toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)
    found = round_(toy, Dirty(hosts={SLICE: {first}}))
    assert found.looked_at == {SLICE}
    assert found.partly == {SLICE: frozenset({first})}
    assert found.waiting == (Waiting(slice=SLICE, host=first, application=APP, reason="it failed"),)
    assert (found.changes, found.orders) == ((), ())


def test_who_is_left_alone_for_a_slice_and_what_is_doubted_is_said() -> None:
    toy = two()
    mine = min(toy.slice.hosts)
    free = next(host for host in hosts(5) if host not in toy.slice.hosts)
    toy.fleet.fit({SLICE: Fits({free: "its port is taken"}, {APP: "it fails everywhere"})})
    toy.sent.footings.clear()
    whole = round_(toy)
    told = [
        Waiting(slice=SLICE, host=free, reason="its port is taken"),
        Waiting(slice=SLICE, application=APP, reason="it fails everywhere"),
    ]
    assert [one for one in whole.waiting if one.slice == SLICE] == told
    partly = round_(toy, Dirty(hosts={SLICE: {free, mine}}))
    assert partly.partly == {SLICE: frozenset({free, mine})}
    assert partly.waiting == (told[0],)


def test_a_round_over_few_hosts_sees_that_a_share_may_stop_again() -> None:
    toy = two()
    asked = asked_of(toy.slice)
    toy.change(replace(toy.slice, restraint=Restraint(carried=asked, stopped=1, stopped_at=toy.now)))
    assert round_(toy).changes == ()
    few = Dirty(hosts={SLICE: {min(toy.slice.hosts)}})
    toy.now += CALM_S - 0.25
    assert round_(toy, few).changes == ()
    assert SLICE in toy.sent.footings
    toy.now += 0.25
    [change] = round_(toy, few).changes
    assert change.restraint == Restraint(carried=asked)


def test_a_round_over_few_hosts_sees_that_another_has_given_up_its_sliver() -> None:
    toy = two()
    staying = max(toy.slice.hosts)
    free = next(host for host in hosts(5) if host not in toy.slice.hosts)
    toy.change(replace(toy.slice, retired={free: 1}))
    toy.nodes[free].gone = {}
    toy.fleet.fold(toy.nodes[free].holdings(), now=toy.now)
    assert round_(toy).changes == ()
    toy.nodes[free].gone = {SLICE: 1}
    toy.fleet.fold(toy.nodes[free].holdings(), now=toy.now)
    found = round_(toy, Dirty(hosts={SLICE: {staying}}))
    assert [one.retired for one in found.changes] == [{}]
    assert found.gone_queues == ((SLICE, free),)


def test_a_round_over_few_hosts_becomes_one_over_all_where_something_is_to_be_settled() -> None:
    toy = two()
    first = min(toy.slice.hosts)
    assert round_(toy).changes == ()
    held = toy.nodes[first].applications[SLICE]
    held[APP] = replace(held[APP], generation=50)
    toy.fleet.fold(toy.nodes[first].agent_holdings(SLICE), now=toy.now)
    found = round_(toy, Dirty(hosts={SLICE: {first}}))
    assert [(one.slice, one.generation) for one in found.changes] == [(SLICE, 51)]
    assert found.partly == {}


def test_a_round_over_few_hosts_says_what_is_held_back_there_and_nowhere_else() -> None:
    toy = two()
    for name in (SLICE, OTHER):
        slice_ = toy.wanted.slices[name]
        toy.change(replace(slice_, budget=budget("keep 5"), plan_parameters={"count": "5"}))
    toy.run(20)
    toy.stand(Standing(drain=Drain(by="ann", since=0.0)), *toy.nodes)
    first, second, *_ = sorted(toy.slice.hosts)
    assert len([one for one in toy.run(3).waiting if one.host]) == 10
    round_(toy, Dirty())
    found = round_(toy, Dirty(hosts={SLICE: {first}, OTHER: {second}}))
    assert found.partly == {SLICE: frozenset({first}), OTHER: frozenset({second})}
    assert [(one.slice, one.host) for one in found.waiting] == [(OTHER, second), (SLICE, first)]


def test_a_round_over_few_hosts_forgets_no_order_for_others() -> None:
    toy = two()
    first, second, _ = sorted(toy.slice.hosts)
    toy.nodes[second].applications[SLICE].clear()
    toy.fleet.fold(toy.nodes[second].agent_holdings(SLICE), now=toy.now)
    ordered = round_(toy)
    assert ([one.host for one in ordered.orders], ordered.again_at) == ([second], toy.now + 2.0)
    found = round_(toy, Dirty(hosts={SLICE: {first}}))
    assert (found.partly, found.again_at) == ({SLICE: frozenset({first})}, toy.now + 2.0)
    toy.now += 2.0
    assert [one.host for one in round_(toy, Dirty()).orders] == [second]


def test_what_is_gone_of_every_slice_is_told() -> None:
    toy = two()
    for name in (SLICE, OTHER):
        slice_ = toy.wanted.slices[name]
        toy.change(replace(slice_, plan_parameters={"count": "2"}))
    first = toy.round()
    left = {change.slice: min(change.retired) for change in first.changes}
    toy.deliver(first.orders)
    assert toy.round().gone_queues == tuple((name, left[name]) for name in sorted(left))


def test_hosts_get_the_release_of_a_roll_out_one_wave_after_the_other() -> None:
    toy = two()
    waves = policy(["1"], min_healthy_s=1.0, deadline_s=60.0)
    rollout = Rollout(number=1, before=Release("1.8-1").name, after=Release("1.9-1"), policy=waves)
    toy.change(replace(toy.slice, rollouts={APP: rollout}))
    [change] = round_(toy).changes
    assert sorted(one.version for one in change.placements) == ["1.8-1", "1.8-1", "1.9-1"]
    assert change.rollouts[APP].told.keys() == {
        one.host for one in change.placements if one.version == "1.9-1"
    }


def test_a_slice_that_is_not_managed_has_no_orders_and_is_not_looked_at_again() -> None:
    toy = Toy(2)
    toy.round()
    assert toy.sent.slices() == {SLICE}
    toy.sent.look_again(SLICE, toy.now + 5)
    toy.change(replace(toy.slice, managed=False))
    found = round_(toy)
    assert (found.orders, found.changes, found.waiting) == ((), (), ())
    assert (toy.sent.slices(), found.again_at) == (set(), float("inf"))


def test_slivers_of_slices_that_nobody_knows_go_and_their_nodes_are_told_again_later() -> None:
    toy = Toy(2, ())
    for host, generation in ((N0, 4), (N1, 0)):
        toy.nodes[host].slivers = {OTHER: generation}
        toy.fleet.fold(toy.nodes[host].holdings(), now=toy.now)
        toy.beat(toy.nodes[host])
    toy.fleet.judge(N0, NodeState.FAILED)
    found = round_(toy)
    assert [(one.verb, one.host, one.slice, one.generation) for one in found.orders] == [
        (Verb.DELETE, N1, OTHER, 1)
    ]
    assert toy.sent.slices() == {OTHER}
    assert (round_(toy).orders, found.again_at) == ((), toy.now + 2.0)
    toy.fleet.fold(toy.nodes[N1].holdings(asks=True), now=toy.now)
    assert [(one.host, one.generation) for one in round_(toy).orders] == [(N1, 1)]
    # One that has failed is told when it asks, at once.
    for _ in range(2):
        toy.fleet.fold(toy.nodes[N0].holdings(asks=True), now=toy.now)
        assert [one.host for one in round_(toy).orders] == [N0]
        assert round_(toy).orders == ()
    for host in (N0, N1):
        toy.nodes[host].slivers = {}
        toy.fleet.fold(toy.nodes[host].holdings(), now=toy.now)
    round_(toy)
    assert toy.sent.slices() == set()


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (NodeState.ALIVE, True),
        (NodeState.SUSPECT, True),
        (NodeState.PROBATION, True),
        (NodeState.FAILED, False),
        (NodeState.UNKNOWN, False),
    ],
)
def test_a_node_whose_heartbeats_tell_something_else_is_asked_after_a_second(
    state: NodeState, *, asked: bool
) -> None:
    toy = Toy(1, ())
    toy.fleet.heard(N0, digest({SLICE: 9}), now=toy.now)
    toy.fleet.judge(N0, state)
    assert round_(toy).orders == ()
    toy.now += 0.75
    assert round_(toy).orders == ()
    toy.now += 0.25
    orders = round_(toy).orders
    assert bool(orders) is asked
    for order in orders:
        assert (order.verb, order.host, order.slice, order.generation) == (Verb.REPORT, N0, "dsmt", 0)


def test_each_node_of_which_something_is_unclear_is_asked_whoever_else_failed() -> None:
    toy = Toy(3, ())
    for host in toy.nodes:
        toy.fleet.heard(host, digest({SLICE: 9}), now=toy.now)
    toy.fleet.judge(N0, NodeState.FAILED)
    round_(toy)
    toy.now += 1.0
    assert [one.host for one in round_(toy).orders] == sorted({*toy.nodes} - {N0})


def test_what_time_alone_changes_in_standings_is_when_the_next_round_is_due() -> None:
    toy = two()
    deadline = toy.now + 500
    toy.stand(Standing(drain=Drain(by="ann", since=0.0, deadline=deadline)), N0)
    toy.run(40)
    assert round_(toy).again_at == deadline


def test_another_bar_makes_a_round_over_everything() -> None:
    toy = two()
    assert round_(toy, Dirty()).looked_at == frozenset()
    toy.stand(Standing(drain=Drain(by="ann", since=0.0)), FAR)
    assert round_(toy, Dirty()).looked_at == {SLICE, OTHER}
    assert round_(toy, Dirty()).looked_at == frozenset()
    assert round_(toy, Dirty(everything=True)).looked_at == {SLICE, OTHER}


def test_queues_are_declared_for_agents_that_get_orders_and_go_with_their_slivers() -> None:
    toy = Toy(3)
    found = round_(toy)
    assert found.agent_queues == tuple((SLICE, host) for host in sorted(toy.nodes))
    assert found.gone_queues == ()
    toy = Toy(3)
    toy.run()
    toy.change(replace(toy.slice, plan_parameters={"count": "1"}))
    first = toy.round()
    leaving = sorted(set(toy.nodes) - toy.slice.hosts.keys())
    assert [(one.verb, one.host) for one in first.orders] == [(Verb.DELETE, host) for host in leaving]
    assert (first.agent_queues, first.gone_queues) == ((), ())
    toy.deliver(first.orders)
    assert toy.round().gone_queues == tuple((SLICE, host) for host in leaving)


def test_slices_that_are_wanted_and_held_no_longer_are_forgotten() -> None:
    toy = Toy(2)
    toy.round()
    toy.sent.pause(SLICE, 1e9)
    toy.wanted = Wanted()
    round_(toy)
    assert (toy.sent.slices(), toy.sent.timed(1e9)) == (set(), set())


def test_a_round_begins_to_listen() -> None:
    toy = Toy(1, ())
    round_(toy)
    assert toy.sent.listening_since == 100.0


def test_orders_of_a_round_that_is_only_thought_of_are_for_who_comes_and_goes() -> None:
    toy = two()
    first = min(toy.slice.hosts)
    node = toy.nodes[first]
    node.applications[SLICE].clear()
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)
    toy.change(replace(toy.slice, plan_parameters={"count": "4"}))

    def ordered(sent: SentOrders) -> set[Host]:
        only = Dirty(slices={SLICE})
        found = reconcile(toy.wanted, toy.fleet, sent=sent, now=toy.now, only=only)
        assert len(found.changes[0].hosts) == 4
        assert {one.slice for one in found.orders} == {SLICE}
        return {one.host for one in found.orders}

    thought = ordered(toy.sent.fork(SLICE))
    assert len(thought) == 1
    assert not thought & toy.slice.hosts.keys()
    assert ordered(toy.sent) == {first, *thought}
