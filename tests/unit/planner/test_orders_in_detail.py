"""Orders and the status in detail: every field of both, and every reason why something waits."""

from __future__ import annotations

from dataclasses import replace

from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import SLIVER_BOOTSTRAP, SLIVER_MGR, Application, Host, PlanName
from planner.fleet import NodeState
from planner.reconcile import SentOrders, orders, summary
from planner.reconcile.needs import Asking, HostNeeds, SliceNeeds
from planner.reconcile.sent import application_key
from planner.turns import turn
from planner.wanted import Placement, Run, WantedSlice
from tests.unit.planner.toy import APP, PACKAGE, SLICE, Toy, hosts, wanted_slice

HOST = hosts(1)[0]


def one() -> Toy:
    """A slice on one node, running as ordered."""
    toy = Toy(1)
    toy.run()
    return toy


def needs(toy: Toy, slice_: WantedSlice, *, node: bool = False, agent: bool = False) -> HostNeeds:
    asking = Asking(node=node, agent=agent)
    what = SliceNeeds(slice_, toy.fleet, now=toy.now)
    return what.of_host(HOST, asking) if HOST in slice_.hosts else what.of_retired(HOST, asking)


def test_the_order_for_an_application_says_the_whole_of_what_is_wanted() -> None:
    slice_ = replace(wanted_slice(), agent="other", status_period=7.0)
    placement = Placement(
        slice=SLICE, host=HOST, application=APP, version="1.8-1", generation=4, run=Run.RUNNING, restarts=2
    )
    made = orders.placed(slice_, placement, Verb.RESTART)
    assert replace(made, digest="") == Order(
        verb=Verb.RESTART,
        host=HOST,
        slice=SLICE,
        generation=4,
        application=APP,
        wrapper="dsmtw_pinger",
        version="1.8-1",
        packages=(PACKAGE,),
        restarts=2,
        status_period=7.0,
        agent="other",
    )
    gone = orders.removal(replace(slice_, generation=9), HOST, Application("stray"))
    assert gone == Order(
        verb=Verb.UNINSTALL,
        host=HOST,
        slice=SLICE,
        generation=9,
        application=Application("stray"),
        wrapper="dsmtw_stray",
        agent="other",
        digest=orders.REMOVAL,
    )


def test_a_sliver_that_is_to_go_waits_for_its_node_and_is_ordered_at_once_when_that_asks() -> None:
    toy = one()
    leaving = replace(toy.slice, hosts={}, placements=(), retired={HOST: 5})
    ordered = needs(toy, leaving)
    assert ordered.waiting == [("", "the sliver is being deleted")]
    assert [(need.order.verb, need.force) for need in ordered.orders] == [(Verb.DELETE, False)]
    toy.fleet.judge(HOST, NodeState.FAILED)
    away = needs(toy, leaving)
    assert (away.orders, away.waiting) == ([], [("", "the sliver is to be deleted when the node is back")])
    assert [need.force for need in needs(toy, leaving, agent=True).orders] == [True]


def test_an_agent_that_asks_gets_everything_at_once() -> None:
    toy = one()
    stray = replace(toy.slice, applications={}, placements=())
    assert [need.force for need in needs(toy, toy.slice, agent=True).orders] == [True]
    assert [need.force for need in needs(toy, stray, agent=True).orders] == [True]
    assert [need.force for need in needs(toy, stray).orders] == [False]


def test_why_no_agent_listens() -> None:
    toy = one()
    node = toy.nodes[HOST]
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    sliver.agent_ready = False
    asked = needs(toy, toy.slice)
    assert asked.waiting == [("", "the sliver is there and its agent starts")]
    report = asked.orders[0]
    assert (report.order.verb, report.order.generation, report.key.about) == (
        Verb.REPORT,
        0,
        "report agent",
    )
    assert report.after == 5.0
    toy.fleet.fold(node.status(SLICE, SLIVER_BOOTSTRAP, State.FAILED, reason="no Python"), now=toy.now)
    assert needs(toy, toy.slice).waiting == [("", "the agent failed: no Python")]
    sliver.agent.become(State.UNDEFINED, toy.now)
    toy.fleet.fold(node.status(SLICE, SLIVER_MGR, State.FAILED), now=toy.now)
    assert needs(toy, toy.slice).waiting == [("", "the sliver failed")]


def test_an_agent_that_was_not_heard_since_the_start_is_asked_though_it_listens() -> None:
    toy = one()
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    sliver.fresh = False
    asked = needs(toy, toy.slice)
    assert asked.waiting == []
    assert [need.order.verb for need in asked.orders] == [Verb.REPORT]


def test_a_failed_application_is_named_with_its_reason_if_it_has_one() -> None:
    toy = one()
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    layer = sliver.applications[APP].layer
    layer.become(State.FAILED, toy.now)
    assert needs(toy, toy.slice).waiting == [(APP, "it failed")]
    layer.become(State.FAILED, toy.now, "no port")
    assert needs(toy, toy.slice).waiting == [(APP, "it failed: no port")]


def test_the_status_says_all_of_a_slice_and_of_its_hosts() -> None:
    toy = one()
    toy.change(turn(toy.slice, APP, Verb.RESTART))
    toy.run()
    said = summary(replace(toy.slice, plan_parameters={}), toy.fleet, now=toy.now)
    host = said["hosts"][0]
    assert {name: said[name] for name in ("slice", "managed", "plan", "plan_parameters", "agent")} == {
        "slice": SLICE,
        "managed": True,
        "plan": "only3",
        "plan_parameters": {},
        "agent": toy.slice.agent,
    }
    assert (said["generation"], said["wanted"], said["missing"]) == (toy.slice.generation, 3, 2)
    assert (host["container"], host["agent"], host["reason"], host["unwell"]) == (
        State.RUNNING,
        State.RUNNING,
        "",
        [],
    )
    application = host["applications"][0]
    assert {name: application[name] for name in ("application", "state", "wanted", "text", "reason")} == {
        "application": APP,
        "state": State.RUNNING,
        "wanted": Run.RUNNING,
        "text": "",
        "reason": "",
    }
    assert application["since"] > 0


def test_the_status_shows_hosts_that_leave_and_says_why() -> None:
    toy = one()
    left = replace(toy.slice, hosts={}, placements=(), retired={Host("b.org"): 4}, plan=PlanName(""))
    shown = {one["host"]: one["reason"] for one in summary(left, toy.fleet, now=toy.now)["hosts"]}
    assert shown == {HOST: "it left the slice", "b.org": "it left the slice"}
    unmanaged = summary(replace(left, managed=False), toy.fleet, now=toy.now)
    assert unmanaged["hosts"][0]["reason"] == "the slice is not managed"
    assert unmanaged["missing"] == 0


def test_a_slice_without_applications_has_slivers_that_fail_with_their_node() -> None:
    toy = Toy(1, (wanted_slice(apps={}),))
    toy.run()
    toy.fleet.judge(HOST, NodeState.FAILED)
    said = summary(toy.slice, toy.fleet, now=toy.now)
    assert (said["failed"], said["running"], said["missing"]) == (1, 0, 2)


def test_who_asks_while_its_order_is_on_its_way_is_not_told_twice() -> None:
    # A new agent says that it listens, and then asks: often a round lies between the two.
    sent, key = SentOrders(), application_key(SLICE, HOST, APP)
    order = Order(verb=Verb.APPCONFIG, host=HOST, slice=SLICE, generation=1, application=APP)
    assert not sent.is_under_way(key, order, 10.0)
    assert sent.send(key, order, now=10.0, said=0)
    assert sent.is_under_way(key, order, 10.0)
    assert sent.is_under_way(key, order, 10.9)
    assert not sent.is_under_way(key, order, 11.0)
    assert not sent.is_under_way(key, replace(order, generation=2), 10.1)
    # A clock that was set back holds no answer up.
    assert not sent.is_under_way(key, order, 5.0)


def test_who_asks_for_what_it_has_confirmed_is_told_at_once() -> None:
    # Nothing would repeat an answer that is left out.
    toy = one()
    told = [need for need in needs(toy, toy.slice, agent=True).orders if need.key.application == APP]
    assert [(need.force, need.under_way) for need in told] == [(True, False)]
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    sliver.applications.clear()
    told = [need for need in needs(toy, toy.slice, agent=True).orders if need.key.application == APP]
    assert [(need.force, need.under_way) for need in told] == [(True, True)]
