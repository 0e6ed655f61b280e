"""What one host still needs of a slice: which orders, whether at once, and what is waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.configuration import Configuration
from dsmt_core.lifecycle import State
from dsmt_core.names import SLIVER_MGR, Application, Host
from dsmt_core.nodes import Held
from planner.fleet import NodeState
from planner.reconcile import orders
from planner.reconcile.needs import Asking, HostNeeds, Need, SliceNeeds
from planner.reconcile.sent import application_key, report_key, sliver_key
from planner.wanted import Run, WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, pinger

HOST = hosts(1)[0]
NOBODY = Asking()
HELLO = Configuration.of({"greeting": "hello"})


def one() -> Toy:
    """A slice on one node, running as ordered."""
    toy = Toy(1)
    toy.run()
    return toy


def needs(toy: Toy, asking: Asking = NOBODY, slice_: WantedSlice | None = None) -> HostNeeds:
    wanted = slice_ or toy.slice
    what = SliceNeeds(wanted, toy.fleet, now=toy.now)
    return what.of_host(HOST, asking) if HOST in wanted.hosts else what.of_retired(HOST, asking)


def waits(*reasons: str) -> list[tuple[Application, str]]:
    return [(Application(""), reason) for reason in reasons]


def verbs(found: HostNeeds) -> list[tuple[Verb, bool]]:
    return [(need.order.verb, need.force) for need in found.orders]


def test_what_is_confirmed_needs_nothing() -> None:
    assert needs(one()) == HostNeeds()


def test_who_asks_is_told_what_it_is_for() -> None:
    toy = one()
    creation = Need(sliver_key(SLICE, HOST), orders.creation(toy.slice, HOST), force=True)
    assert needs(toy, Asking(node=True)) == HostNeeds([creation])
    order = orders.placed(toy.slice, toy.slice.placements[0], Verb.APPCONFIG)
    told = Need(application_key(SLICE, HOST, APP), order, force=True)
    assert needs(toy, Asking(agent=True)) == HostNeeds([told])
    assert needs(toy, Asking(node=True, agent=True)) == HostNeeds([creation, told])
    assert [bool(Asking(node=node, agent=agent)) for node in (False, True) for agent in (False, True)] == [
        False,
        True,
        True,
        True,
    ]


def test_a_node_that_has_not_joined_is_waited_for() -> None:
    toy = Toy(0)
    toy.change(replace(toy.slice, hosts={HOST: 1}))
    assert needs(toy, Asking(node=True)) == HostNeeds([], waits("the node has not joined"))


def test_a_node_that_failed_is_told_nothing_unless_it_asks() -> None:
    toy = one()
    toy.fleet.judge(HOST, NodeState.FAILED)
    for passed, seconds in ((12.4, "12"), (-50.0, "0")):
        later = SliceNeeds(toy.slice, toy.fleet, now=toy.fleet.heard_at(HOST) + passed)
        found = later.of_host(HOST, NOBODY)
        assert found == HostNeeds([], waits(f"the node has not answered for {seconds} s"))
    assert verbs(needs(toy, Asking(node=True))) == [(Verb.CREATE, True)]
    toy.fleet.judge(HOST, NodeState.PROBATION)
    assert needs(toy) == HostNeeds()


def test_a_node_that_has_not_said_what_it_holds_is_asked_before_it_is_told() -> None:
    toy = Toy(0)
    toy.fleet.join(HOST, now=toy.now)
    toy.change(replace(toy.slice, hosts={HOST: 1}))
    expected = HostNeeds([], waits("the node has not said yet what it holds"))
    assert needs(toy) == needs(toy, Asking(node=True)) == expected


@pytest.mark.parametrize("held", [None, 1])
def test_a_sliver_that_is_not_there_at_its_generation_is_ordered(held: int | None) -> None:
    toy = one()
    toy.change(replace(toy.slice, hosts={HOST: 9}))
    toy.nodes[HOST].slivers = {} if held is None else {SLICE: held}
    toy.fleet.fold(toy.nodes[HOST].holdings(), now=toy.now)
    creation = orders.creation(toy.slice, HOST)
    expected = HostNeeds([Need(sliver_key(SLICE, HOST), creation)], waits("the sliver is ordered"))
    assert needs(toy) == expected
    assert verbs(needs(toy, Asking(node=True))) == [(Verb.CREATE, True)]
    assert creation.generation == 9


def test_an_agent_that_asks_is_answered_also_where_the_sliver_is_not_confirmed() -> None:
    toy = one()
    toy.change(replace(toy.slice, hosts={HOST: 9}))
    found = needs(toy, Asking(agent=True))
    assert verbs(found) == [(Verb.CREATE, False), (Verb.APPCONFIG, True)]
    assert found.waiting == waits("the sliver is ordered")


def test_an_agent_that_has_not_spoken_is_waited_for_and_asked_later() -> None:
    toy = Toy(1)
    toy.change(replace(toy.slice, hosts={HOST: 1}))
    toy.nodes[HOST].slivers = {SLICE: 1}
    toy.fleet.fold(toy.nodes[HOST].holdings(), now=toy.now)
    [report] = needs(toy).orders
    assert (report.key, report.after, report.force) == (report_key(SLICE, HOST, "agent"), 5.0, False)
    assert (report.order.verb, report.order.slice, report.order.generation) == (Verb.REPORT, SLICE, 0)
    assert needs(toy).waiting == waits("the sliver is there and its agent starts")
    assert needs(toy, Asking(agent=True)).waiting == waits("the sliver is there and its agent starts")
    toy.fleet.fold(toy.nodes[HOST].status(SLICE, SLIVER_MGR, State.FAILED, reason="no space"), now=toy.now)
    assert needs(toy).waiting == waits("the sliver failed: no space")


def test_one_that_asks_is_told_though_it_has_not_said_that_it_listens() -> None:
    toy = one()
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    sliver.agent_ready = False
    found = needs(toy, Asking(agent=True))
    assert verbs(found) == [(Verb.REPORT, False), (Verb.APPCONFIG, True)]
    assert found.waiting == []


@pytest.mark.parametrize(
    ("held", "run", "verb"),
    [
        (None, Run.RUNNING, Verb.APPCONFIG),
        (Held(1, "", State.TERMINATED), Run.RUNNING, Verb.APPCONFIG),
        (Held(1, "1.7-1", State.RUNNING), Run.RUNNING, Verb.UPDATE),
        (Held(1, "1.8-1", State.RUNNING, 1), Run.RUNNING, Verb.RESTART),
        (Held(1, "1.8-1", State.RUNNING, 2), Run.RUNNING, Verb.APPCONFIG),
        (Held(1, "1.8-1", State.RUNNING, 3), Run.RUNNING, Verb.APPCONFIG),
        (Held(1, "1.8-1", State.RUNNING, 2, "", HELLO.digest), Run.RUNNING, Verb.RESTART),
        (Held(1, "1.8-1", State.TERMINATED, 2), Run.RUNNING, Verb.START),
        (Held(1, "1.8-1", State.FAILED, 2), Run.RUNNING, Verb.APPCONFIG),
        (None, Run.STOPPED, Verb.STOP),
        (Held(1, "1.7-1", State.RUNNING), Run.STOPPED, Verb.STOP),
    ],
)
def test_the_verb_says_best_what_changes(held: Held | None, run: Run, verb: Verb) -> None:
    toy = one()
    toy.nodes[HOST].applications[SLICE] = {} if held is None else {APP: held}
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    placed = replace(toy.slice.placements[0], generation=9, run=run, restarts=2)
    toy.change(replace(toy.slice, placements=(placed,)))
    found = needs(toy)
    key = application_key(SLICE, HOST, APP)
    assert found.orders == [Need(key, orders.placed(toy.slice, placed, verb), under_way=True)]
    assert found.waiting == [(APP, "the agent has not confirmed the order yet")]


@pytest.mark.parametrize(
    ("run", "reason", "said"),
    [
        (Run.RUNNING, "", [(APP, "it failed")]),
        (Run.RUNNING, "no port", [(APP, "it failed: no port")]),
        (Run.STOPPED, "no port", []),
    ],
)
def test_what_failed_is_told_unless_people_have_stopped_it(
    run: Run, reason: str, said: list[tuple[Application, str]]
) -> None:
    toy = one()
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None
    sliver.applications[APP].layer.become(State.FAILED, toy.now, reason)
    placed = replace(toy.slice.placements[0], run=run)
    assert needs(toy, slice_=replace(toy.slice, placements=(placed,))) == HostNeeds([], said)


def test_what_the_agent_holds_and_nobody_wants_is_taken_away() -> None:
    toy = one()
    mine = toy.nodes[HOST].applications[SLICE][APP]
    strays = {Application(name): Held(1, "1-1", State.RUNNING) for name in ("z", "a")}
    toy.nodes[HOST].applications[SLICE] = {APP: mine, **strays}
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    sliver = toy.fleet.sliver(SLICE, HOST)
    assert sliver is not None

    def expected(name: str, *, force: bool) -> Need:
        application = Application(name)
        order = orders.removal(toy.slice, HOST, application)
        return Need(application_key(SLICE, HOST, application), order, force=force)

    assert needs(toy).orders == [expected("a", force=False), expected("z", force=False)]
    asked = needs(toy, Asking(agent=True)).orders
    assert asked[1:] == [expected("a", force=True), expected("z", force=True)]
    # What the agent has not named itself is not known to be there.
    sliver.applications[Application("a")].held = False
    assert needs(toy).orders == [expected("z", force=False)]


def test_a_sliver_that_is_to_go_is_ordered_to() -> None:
    toy = one()
    leaving = replace(toy.slice, hosts={}, placements=(), retired={HOST: 5})
    order = orders.deletion(SLICE, HOST, 5)
    expected = HostNeeds([Need(sliver_key(SLICE, HOST), order)], waits("the sliver is being deleted"))
    assert needs(toy, slice_=leaving) == expected
    toy.fleet.judge(HOST, NodeState.FAILED)
    away = waits("the sliver is to be deleted when the node is back")
    assert needs(toy, slice_=leaving) == HostNeeds([], away)
    assert verbs(needs(toy, Asking(node=True), leaving)) == [(Verb.DELETE, True)]
    toy.fleet.forget(HOST)
    assert needs(toy, Asking(node=True), leaving) == HostNeeds([], away)


def test_of_several_hosts_each_has_its_own_placements() -> None:
    toy = Toy(2)
    toy.run()
    assert len(toy.slice.placements) == 2
    toy.nodes[HOST].applications[SLICE].clear()
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    more = {**toy.slice.applications, Application("b"): replace(pinger(), name=Application("b"))}
    second = replace(toy.slice.placements[0], host=HOST, application=Application("b"))
    slice_ = replace(toy.slice, applications=more, placements=(*toy.slice.placements, second))
    found = needs(toy, slice_=slice_)
    assert [(need.order.host, need.order.application) for need in found.orders] == [
        (HOST, APP),
        (HOST, "b"),
    ]
    other = SliceNeeds(slice_, toy.fleet, now=toy.now).of_host(Host(hosts(2)[1]), NOBODY)
    assert other == HostNeeds()
