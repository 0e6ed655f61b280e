"""What a round answers besides the orders for its slices: what waits, what is asked, what is due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from dsmt_core.nodes import digest
from planner.fleet import Dirty, Fits, NodeState
from planner.reconcile import SentOrders, reconcile
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
    for host in (N0, N1):
        toy.nodes[host].slivers = {OTHER: 4}
        toy.fleet.fold(toy.nodes[host].holdings(), now=toy.now)
        toy.beat(toy.nodes[host])
    toy.fleet.judge(N1, NodeState.FAILED)
    found = round_(toy)
    assert [(one.verb, one.host, one.slice, one.generation) for one in found.orders] == [
        (Verb.DELETE, N0, OTHER, 5)
    ]
    assert toy.sent.slices() == {OTHER}
    assert (round_(toy).orders, found.again_at) == ((), toy.now + 2.0)
    # One that has failed is told when it asks, at once.
    for _ in range(2):
        toy.fleet.fold(toy.nodes[N1].holdings(asks=True), now=toy.now)
        assert [one.host for one in round_(toy).orders] == [N1]
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
