"""A slice rests while nothing that is heard of its hosts can move it; what can move it wakes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import Host, PlanName
from planner.fleet import NodeState
from planner.plans import is_live
from planner.reconcile import reconcile
from planner.standing import Drain, Standing
from planner.steps import Round
from planner.wanted import Plan
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, hosts, plan, plans, wanted_slice

GREEN = plans(
    plan("green", "where", parent="good", expr="colour = 'green'"),
    plan("runs", "status", app=APP, **{"is": "running"}),
    plan("green_or_runs", "union", left="green", right="runs"),
    plan("deeper", "limit", parent="green_or_runs", count="3"),
    plan("again", "deeper"),
)


def settled(toy: Toy) -> Toy:
    toy.run()
    dirty_round(toy)
    return toy


def dirty_round(toy: Toy) -> Round:
    """A round over what is dirty only, as most are."""
    toy.now += 0.1
    round_ = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now, only=toy.fleet.take_dirty())
    for change in round_.changes:
        toy.change(change.applied(toy.wanted.slices[change.slice]))
    return round_


def rests(toy: Toy) -> bool:
    footing = toy.sent.footings.get(SLICE)
    return footing is not None and footing.rests


def another_state(toy: Toy, host: Host, state: State) -> None:
    node = toy.nodes[host]
    node.applications[SLICE][APP] = replace(node.applications[SLICE][APP], state=state)
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)


@pytest.mark.parametrize(
    ("name", "live"),
    [("good", False), ("only3", False), ("green", False), ("failed", False), ("runs", True),
     ("green_or_runs", True), ("deeper", True), ("again", True)],
)  # fmt: skip
def test_a_plan_is_live_when_a_function_below_it_asks_what_applications_do(name: str, live: bool) -> None:  # noqa: FBT001
    assert is_live(PlanName(name), {}, LIMITED | GREEN) is live


def test_a_plan_is_live_by_a_parameter_of_the_plan_in_force() -> None:
    known: dict[PlanName, Plan] = LIMITED | GREEN
    assert not is_live(PlanName("limit"), {"parent": "good", "count": "2"}, known)
    assert is_live(PlanName("limit"), {"parent": "runs", "count": "2"}, known)


def test_a_settled_slice_rests_whatever_is_heard_of_its_hosts() -> None:
    toy = settled(Toy())
    assert rests(toy)
    host = min(toy.slice.hosts)
    another_state(toy, host, State.FAILED)
    round_ = dirty_round(toy)
    assert rests(toy)
    assert round_.partly == {SLICE: {host}}
    assert [one.host for one in round_.waiting] == [host], "it is told that the application failed"


def test_a_slice_whose_plan_looks_at_states_never_rests() -> None:
    toy = settled(Toy(5, (replace(wanted_slice("deeper"), plans=LIMITED | GREEN),)))
    assert not rests(toy)


def test_a_slice_that_lacks_nodes_or_holds_somebody_back_does_not_rest() -> None:
    assert not rests(settled(Toy(2))), "it asks for three"
    toy = settled(Toy(3))
    assert rests(toy)
    host = min(toy.slice.hosts)
    toy.stand(Standing(drain=Drain(by="ann", since=toy.now, deadline=toy.now + 60)), host)
    dirty_round(toy)
    assert not rests(toy), "there is no node to move to"


def test_a_node_that_fails_wakes_it() -> None:
    toy = settled(Toy())
    lost = min(toy.slice.hosts)
    toy.fleet.judge(lost, NodeState.FAILED)
    (change,) = dirty_round(toy).changes
    assert lost not in change.hosts


def test_a_label_wakes_it() -> None:
    slice_ = replace(wanted_slice("green"), plans=LIMITED | GREEN)
    toy = Toy(5, (slice_,))
    for host in hosts(5)[:2]:
        toy.fleet.label(host, {"colour": "green"})
    settled(toy)
    assert rests(toy)
    assert toy.slice.hosts.keys() == set(hosts(5)[:2])
    toy.fleet.label(hosts(5)[2], {"colour": "green"})
    (change,) = dirty_round(toy).changes
    assert change.hosts.keys() == set(hosts(5)[:3])


def test_people_wake_it() -> None:
    toy = settled(Toy())
    toy.change(replace(toy.slice, plan=PlanName("good")))
    toy.fleet.take_dirty()
    another_state(toy, min(toy.slice.hosts), State.FAILED)
    (change,) = dirty_round(toy).changes
    assert len(change.hosts) == 5
