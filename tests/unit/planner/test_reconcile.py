"""Rounds over nodes that obey at once: what is ordered, when, and what is never done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import SLIVER_BOOTSTRAP, SLIVER_MGR, Application, Host, PlanName, Slice
from dsmt_core.nodes import Held
from planner.fleet import Dirty, NodeState
from planner.placement import unproven
from planner.reconcile import SentOrders, reconcile
from planner.turns import turn
from planner.wanted import Run
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, ToyNode, hosts, pinger, plan, wanted_slice


def lose(toy: Toy, host: Host) -> None:
    toy.nodes[host].mute = toy.nodes[host].deaf = True
    toy.fleet.judge(host, NodeState.FAILED)


def come_back(toy: Toy, host: Host) -> None:
    toy.nodes[host].mute = toy.nodes[host].deaf = False
    toy.fleet.judge(host, NodeState.PROBATION)
    toy.beat(toy.nodes[host])


def verbs(toy: Toy) -> list[tuple[Verb, Host]]:
    return [(order.verb, order.host) for order in toy.orders]


def test_a_limit_is_placed_ordered_and_confirmed_with_no_order_too_many() -> None:
    toy = Toy()
    last = toy.run()
    assert len(toy.running()) == 3
    assert sorted(verb for verb, _ in verbs(toy)) == [Verb.APPCONFIG] * 3 + [Verb.CREATE] * 3
    assert (last.orders, last.changes, last.waiting, last.again_at) == ((), (), (), float("inf"))


def test_the_change_is_in_the_round_of_its_orders_and_queues() -> None:
    toy = Toy()
    round_ = toy.round()
    assert round_.changes[0].generation == 1
    assert set(round_.agent_queues) == {(SLICE, host) for host in toy.slice.hosts}
    assert {order.generation for order in round_.orders} == {1}


def test_appconfig_waits_for_the_agent() -> None:
    toy = Toy(1)
    first = toy.round()
    node = toy.nodes[hosts(1)[0]]
    node.obey(first.orders[0])
    toy.fleet.fold(node.holdings(), now=toy.now)
    second = toy.round()
    assert second.orders == ()
    assert any("agent starts" in one.reason for one in second.waiting)
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)
    assert [order.text for order in toy.round().orders] == [f"APPCONFIG,{node.host},pinger,dsmtw_pinger"]


def test_an_agent_that_says_nothing_is_asked_after_a_while() -> None:
    toy = Toy(1)
    node = toy.nodes[hosts(1)[0]]
    node.obey(toy.round().orders[0])
    toy.fleet.fold(node.holdings(), now=toy.now)
    toy.round()
    toy.now += 5.1
    assert [order.verb for order in toy.round().orders] == [Verb.REPORT]


def test_orders_are_repeated_with_growing_waits_until_they_are_confirmed() -> None:
    toy = Toy(1)
    times = []
    for _ in range(1500):
        if toy.round().orders:
            times.append(toy.now - 100)
        toy.now += 0.125
    assert times == [0.0, 2.0, 6.0, 14.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0]


def test_a_round_says_when_the_next_one_is_due() -> None:
    toy = Toy(1)
    assert toy.round().again_at == pytest.approx(toy.now + 2)


def test_a_lost_node_is_replaced_and_told_to_give_up_when_it_is_back() -> None:
    toy = Toy()
    toy.run()
    lost = min(toy.running())
    lose(toy, lost)
    toy.orders.clear()
    toy.run()
    assert lost in toy.slice.retired
    assert len(toy.running() - {lost}) == 3
    assert lost not in {host for _, host in verbs(toy)}
    assert unproven(toy.wanted, toy.fleet) == frozenset()
    come_back(toy, lost)
    assert unproven(toy.wanted, toy.fleet) == {lost}
    toy.orders.clear()
    toy.run()
    assert verbs(toy) == [(Verb.DELETE, lost)]
    assert unproven(toy.wanted, toy.fleet) == frozenset()
    assert toy.slice.retired == {}
    assert len(toy.running()) == 3


def test_the_queue_of_an_agent_goes_when_its_sliver_is_known_to_be_gone() -> None:
    toy = Toy()
    toy.run()
    lost = min(toy.running())
    lose(toy, lost)
    toy.run()
    come_back(toy, lost)
    toy.deliver(toy.round().orders)
    assert toy.round().gone_queues == ((SLICE, lost),)


def test_a_failed_node_gets_orders_only_when_it_asks() -> None:
    toy = Toy()
    toy.run()
    lost = min(toy.running())
    lose(toy, lost)
    toy.run()
    toy.orders.clear()
    toy.fleet.fold(toy.nodes[lost].holdings(asks=True), now=toy.now)
    toy.round()
    assert verbs(toy) == [(Verb.DELETE, lost)]
    toy.orders.clear()
    toy.round()
    assert verbs(toy) == []


def test_an_agent_that_asks_is_answered_at_once_with_all_it_names() -> None:
    toy = Toy()
    toy.run()
    host = min(toy.running())
    toy.orders.clear()
    toy.fleet.fold(toy.nodes[host].agent_holdings(SLICE, asks=True), now=toy.now)
    toy.round()
    assert verbs(toy) == [(Verb.APPCONFIG, host)]
    toy.fleet.fold(toy.nodes[host].holdings(asks=True), now=toy.now)
    toy.orders.clear()
    toy.round()
    assert verbs(toy) == [(Verb.CREATE, host)]
    assert toy.round().orders == ()


def test_nothing_new_begins_on_the_living_before_what_it_replaces_has_ended() -> None:
    toy = Toy(6)
    toy.run()
    others = set(toy.nodes) - toy.running()
    for node in toy.nodes.values():
        node.deaf = True
    named = LIMITED | {
        PlanName("others"): plan("others", "nodes", list=",".join(others)),
        PlanName("moved"): plan("moved", "limit", parent="others", count="3"),
    }
    toy.change(replace(toy.slice, plans=named, plan=PlanName("moved")))
    toy.orders.clear()
    held = toy.run(3)
    assert {verb for verb, _ in verbs(toy)} == {Verb.DELETE}
    assert any("to be started when what they replace has ended" in one.reason for one in held.waiting)
    for node in toy.nodes.values():
        node.deaf = False
    toy.run(40)
    assert toy.running() == others


def test_a_change_by_people_stops_at_once() -> None:
    toy = Toy(20, (wanted_slice("all_nodes"),))
    toy.run()
    assert len(toy.running()) == 20
    toy.change(replace(toy.slice, plan=PlanName("only3")))
    toy.run()
    assert len(toy.running()) == 3


def test_instances_on_failed_nodes_are_replaced_however_many() -> None:
    toy = Toy(20, (replace(wanted_slice(), plan_parameters={"count": "8"}),))
    toy.run()
    for host in sorted(toy.running())[:7]:
        lose(toy, host)
    toy.run()
    assert len([host for host in toy.running() if toy.fleet.state(host) is NodeState.ALIVE]) == 8


def test_what_is_missing_is_told() -> None:
    toy = Toy(2)
    assert "1 of 3 missing: only 2 nodes qualify" in [one.reason for one in toy.run().waiting]


def test_an_unmanaged_slice_is_left_alone() -> None:
    toy = Toy()
    toy.run()
    toy.change(replace(toy.slice, managed=False, plan=PlanName("failed")))
    toy.orders.clear()
    host = min(toy.running())
    toy.fleet.fold(toy.nodes[host].holdings(asks=True), now=toy.now)
    toy.run()
    assert (toy.orders, len(toy.running())) == ([], 3)


def test_slivers_that_nobody_wants_are_deleted() -> None:
    toy = Toy()
    toy.run()
    stray = next(node for host, node in toy.nodes.items() if host not in toy.slice.hosts)
    stray.slivers |= {SLICE: 1, Slice("old"): 7}
    toy.fleet.fold(stray.holdings(), now=toy.now)
    toy.orders.clear()
    toy.run()
    assert sorted(order.text for order in toy.orders) == [
        f"DELETE,{stray.host},old",
        f"DELETE,{stray.host},xyz1",
    ]
    assert stray.slivers == {}


def test_an_application_that_nobody_wants_is_uninstalled() -> None:
    toy = Toy()
    toy.run()
    toy.change(turn(toy.slice, APP, Verb.UNINSTALL))
    toy.orders.clear()
    last = toy.run()
    assert {verb for verb, _ in verbs(toy)} == {Verb.UNINSTALL}
    assert toy.running() == set()
    assert last.orders == ()


def test_the_verb_says_what_changes() -> None:
    toy = Toy(1)
    toy.run()
    host = hosts(1)[0]
    spoken = []
    for verb in (Verb.STOP, Verb.START, Verb.RESTART, Verb.UPDATE):
        version = ("1.9-1", pinger().packages) if verb is Verb.UPDATE else None
        toy.change(turn(toy.slice, APP, verb, version=version))
        toy.orders.clear()
        toy.run()
        spoken += verbs(toy)
    assert spoken == [
        (Verb.STOP, host),
        (Verb.START, host),
        (Verb.RESTART, host),
        (Verb.UPDATE, host),
    ]
    held = toy.nodes[host].applications[SLICE][APP]
    assert replace(held, digest="") == Held(5, "1.9-1", State.RUNNING, 1)


def test_stopping_on_one_host_leaves_the_others_alone() -> None:
    toy = Toy()
    toy.run()
    host = min(toy.running())
    toy.orders.clear()
    toy.change(turn(toy.slice, APP, Verb.STOP, hosts=[host]))
    toy.run()
    assert verbs(toy) == [(Verb.STOP, host)]
    assert len(toy.running()) == 2
    assert {placement.run for placement in toy.slice.placements} == {Run.RUNNING, Run.STOPPED}


def test_a_planner_restored_from_an_older_copy_continues_above_its_past() -> None:
    toy = Toy()
    old = toy.slice
    toy.run()
    for verb in (Verb.STOP, Verb.START, Verb.RESTART):
        toy.change(turn(toy.slice, APP, verb))
        toy.run()
    past = toy.slice.generation
    before = toy.running()
    toy.change(old)
    toy.sent = SentOrders()
    toy.run()
    assert toy.slice.generation > past
    assert toy.running() >= set(toy.slice.hosts)
    assert toy.running() & before
    assert len(toy.running()) == 3


def test_a_node_that_deleted_by_an_order_that_was_forgotten_is_told_anew() -> None:
    toy = Toy(1)
    host = hosts(1)[0]
    toy.nodes[host].gone = {SLICE: 50}
    toy.fleet.fold(toy.nodes[host].holdings(), now=toy.now)
    toy.run()
    assert toy.running() == {host}
    assert toy.slice.hosts[host] == 51


def test_a_host_that_is_not_known_keeps_what_it_has() -> None:
    toy = Toy()
    toy.run()
    stranger = Host("far.away.org")
    toy.change(replace(toy.slice, hosts={**toy.slice.hosts, stranger: 1}, plan_parameters={"count": "4"}))
    last = toy.run()
    assert stranger in toy.slice.hosts
    assert "the node has not joined" in [one.reason for one in last.waiting if one.host == stranger]


def test_a_forgotten_node_is_replaced_and_not_waited_for() -> None:
    toy = Toy()
    toy.run()
    host = min(toy.running())
    toy.fleet.forget(host)
    del toy.nodes[host]
    toy.run()
    assert len(toy.running()) == 3
    assert host not in {*toy.slice.hosts, *toy.slice.retired}


def test_a_heartbeat_that_tells_another_digest_makes_the_node_report() -> None:
    toy = Toy()
    toy.run()
    host = min(toy.running())
    node = toy.nodes[host]
    node.slivers.clear()
    node.applications.clear()
    toy.orders.clear()
    toy.run(30)
    assert verbs(toy) == [(Verb.REPORT, host), (Verb.CREATE, host), (Verb.APPCONFIG, host)]
    assert len(toy.running()) == 3


def test_a_planner_that_has_seen_nothing_asks_before_it_orders() -> None:
    toy = Toy()
    toy.run()
    committed = toy.wanted
    after = Toy(slices=())
    after.wanted, after.orders = committed, []
    after.nodes = toy.nodes
    after.fleet = type(after.fleet)()
    for node in toy.nodes.values():
        after.fleet.join(node.host, now=after.now)
        after.fleet.judge(node.host, NodeState.ALIVE)
    after.run(80)
    assert {verb for verb, _ in verbs(after)} == {Verb.REPORT}
    assert after.wanted == committed
    assert len(toy.running()) == 3


def test_a_new_life_of_a_sliver_gets_its_applications_again() -> None:
    toy = Toy(1)
    toy.run()
    node = toy.nodes[hosts(1)[0]]
    node.applications[SLICE].clear()
    toy.fleet.fold(node.status(SLICE, SLIVER_MGR, State.REQUESTED), now=toy.now)
    toy.orders.clear()
    toy.run()
    assert verbs(toy) == []
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)
    toy.run()
    assert verbs(toy) == [(Verb.APPCONFIG, node.host)]


def test_a_failed_application_is_told_with_its_reason() -> None:
    toy = Toy(1)
    toy.run()
    node = toy.nodes[hosts(1)[0]]
    failed = node.status(
        SLICE,
        "org.dsmt.component.deployment-agent",
        State.FAILED,
        managed=APP,
        generation="1",
        version="1.8-1",
        reason="no disk",
    )
    toy.fleet.fold(failed, now=toy.now)
    assert "it failed: no disk" in [one.reason for one in toy.round().waiting]


def test_only_what_is_dirty_or_due_is_looked_at() -> None:
    other = replace(wanted_slice(), name=Slice("other"))
    toy = Toy(5, (wanted_slice(), other))
    only = Dirty(slices={SLICE})
    first = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now, only=only)
    assert first.looked_at == {SLICE}
    assert {order.slice for order in first.orders} == {SLICE}
    later = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now + 3, only=Dirty())
    assert later.looked_at == {SLICE}
    assert later.orders


def test_a_plan_that_cannot_be_evaluated_leaves_everything_as_it_is() -> None:
    toy = Toy()
    toy.run()
    toy.change(replace(toy.slice, plan=PlanName("nonsense")))
    last = toy.run()
    assert len(toy.running()) == 3
    assert any("cannot be evaluated" in one.reason for one in last.waiting)


def test_without_a_plan_there_is_nothing() -> None:
    toy = Toy(3, (replace(wanted_slice(), plan=PlanName("")),))
    toy.run()
    assert toy.orders == []


def test_a_second_application_is_added_where_the_slice_is() -> None:
    toy = Toy()
    toy.run()
    more = replace(pinger(), name=Application("second"), wrapper="dsmtw_second")
    toy.change(replace(toy.slice, applications={**toy.slice.applications, more.name: more}))
    toy.orders.clear()
    toy.run()
    assert {(order.verb, order.application) for order in toy.orders} == {(Verb.APPCONFIG, "second")}
    assert all(len(node.applications[SLICE]) == 2 for node in toy.nodes.values() if node.slivers)


def test_nodes_that_join_later_fill_what_is_missing() -> None:
    toy = Toy(2)
    toy.run()
    toy.join(ToyNode(Host("late.org")))
    toy.run()
    assert len(toy.running()) == 3


def test_what_people_changed_while_a_slice_was_not_managed_is_carried_out_at_once() -> None:
    toy = Toy(20, (wanted_slice("all_nodes"),))
    toy.run()
    toy.change(replace(toy.slice, managed=False))
    toy.run(3)
    toy.change(replace(toy.slice, managed=True, plan=PlanName("only3")))
    toy.run()
    assert len(toy.running()) == 3


def test_an_agent_that_runs_again_in_a_new_life_of_its_sliver_is_news() -> None:
    toy = Toy(1)
    toy.run()
    node = toy.nodes[hosts(1)[0]]
    toy.fleet.fold(node.status(SLICE, SLIVER_MGR, State.REQUESTED), now=toy.now)
    toy.fleet.take_dirty()
    toy.fleet.fold(node.status(SLICE, SLIVER_BOOTSTRAP, State.RUNNING), now=toy.now)
    assert toy.fleet.take_dirty().hosts == {SLICE: {node.host}}
