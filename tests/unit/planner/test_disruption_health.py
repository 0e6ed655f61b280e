"""How an instance of a slice is, from what was heard of its node, its agent and its applications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Slice
from dsmt_core.nodes import digest
from planner.budget import budget
from planner.disruption import Disruption, Health, allowance
from planner.fleet import ApplicationSeen, NodeState, SliverSeen
from planner.fleet.seen import LayerSeen
from planner.wanted import Run
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, pinger, wanted_slice

HOST, OTHER = hosts(2)
SECOND = Application("second")
UP, STARTING, FAILED, UNSURE = Health.UP, Health.STARTING, Health.FAILED, Health.UNSURE


def one() -> Toy:
    """A slice with two applications on one node, running as ordered."""
    apps = {APP: pinger(), SECOND: replace(pinger(), name=SECOND)}
    toy = Toy(1, (wanted_slice("all_nodes", apps=apps),))
    toy.run(20)
    return toy


def health(toy: Toy) -> Health:
    return Disruption(toy.slice, toy.fleet).healths[HOST]


def sliver(toy: Toy) -> SliverSeen:
    found = toy.fleet.sliver(SLICE, HOST)
    assert found is not None
    return found


def hold(toy: Toy, held: dict[Slice, int]) -> None:
    toy.nodes[HOST].slivers = held
    toy.fleet.fold(toy.nodes[HOST].holdings(), now=toy.now)
    toy.beat(toy.nodes[HOST])


def heard(toy: Toy, name: Application = APP, state: State = State.RUNNING, **more: str | int) -> None:
    before = sliver(toy).applications[name]
    changed: ApplicationSeen = replace(before, layer=LayerSeen(state), **more)  # type: ignore[arg-type]
    sliver(toy).applications[name] = changed


CASES: dict[str, tuple[Callable[[Toy], object], Health]] = {
    "all runs": (lambda toy: toy.fleet.judge(HOST, NodeState.ALIVE), UP),
    "its node failed": (lambda toy: toy.fleet.judge(HOST, NodeState.FAILED), FAILED),
    "its node is on probation": (lambda toy: toy.fleet.judge(HOST, NodeState.PROBATION), FAILED),
    "its node is suspect": (lambda toy: toy.fleet.judge(HOST, NodeState.SUSPECT), UNSURE),
    "its node was not heard": (lambda toy: toy.fleet.judge(HOST, NodeState.UNKNOWN), UNSURE),
    "its node was forgotten": (lambda toy: toy.fleet.forget(HOST), UNSURE),
    "its heartbeats differ": (
        lambda toy: toy.fleet.heard(HOST, digest({SLICE: 99}), now=toy.now),
        UNSURE,
    ),
    "its node does not hold it": (lambda toy: hold(toy, {Slice("other"): 1}), STARTING),
    "its node holds another generation": (lambda toy: hold(toy, {SLICE: 99}), UNSURE),
    "its agent is not ready": (lambda toy: setattr(sliver(toy), "agent_ready", False), UNSURE),
    "its agent has not spoken": (lambda toy: setattr(sliver(toy), "fresh", False), UNSURE),
    "one is not there": (lambda toy: sliver(toy).applications.pop(SECOND), STARTING),
    "one has ended": (lambda toy: heard(toy, SECOND, State.TERMINATED), STARTING),
    "one has failed": (lambda toy: heard(toy, SECOND, State.FAILED), FAILED),
    "one follows another order": (lambda toy: heard(toy, SECOND, generation=99), UNSURE),
    "one failed by another order": (lambda toy: heard(toy, SECOND, State.FAILED, generation=99), UNSURE),
    "one is of another version": (lambda toy: heard(toy, SECOND, version="1.7-1"), UNSURE),
    "one has another configuration": (lambda toy: heard(toy, SECOND, configuration="x"), UNSURE),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_heard_tells_how_it_is(case: str) -> None:
    toy, (happens, expected) = one(), CASES[case]
    assert health(toy) is UP
    happens(toy)
    assert health(toy) is expected


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [
        ({"state": State.FAILED}, {"generation": 99}, UNSURE),
        ({"state": State.FAILED}, {"state": State.TERMINATED}, FAILED),
        ({"state": State.TERMINATED}, {"state": State.FAILED}, FAILED),
        ({"generation": 99}, {"state": State.TERMINATED}, UNSURE),
    ],
)
def test_the_worst_of_its_applications_decides(
    first: dict[str, State], second: dict[str, State], worst: Health
) -> None:
    toy = one()
    heard(toy, APP, **first)
    heard(toy, SECOND, **second)
    assert health(toy) is worst


def test_what_people_have_stopped_is_not_looked_at() -> None:
    toy = one()
    heard(toy, SECOND, State.TERMINATED)
    stopped = tuple(
        replace(placed, run=Run.STOPPED) if placed.application == SECOND else placed
        for placed in toy.slice.placements
    )
    toy.change(replace(toy.slice, placements=stopped))
    assert health(toy) is UP


def test_a_sliver_without_applications_is_as_its_agent_is() -> None:
    toy = Toy(1, (wanted_slice("all_nodes", apps={}),))
    toy.run()
    assert health(toy) is UP
    sliver(toy).agent.become(State.FAILED, toy.now)
    assert health(toy) is FAILED


def test_a_placement_on_a_host_that_left_counts_nowhere() -> None:
    toy = one()
    left = replace(toy.slice.placements[0], host=OTHER)
    toy.change(replace(toy.slice, placements=(*toy.slice.placements, left)))
    one_ = Disruption(toy.slice, toy.fleet)
    assert one_.healths == {HOST: UP}
    assert (one_.up, one_.wanted, one_.least, one_.allowance) == (1, 1, 0, 1)


def test_no_fewer_than_none_may_go() -> None:
    toy = one()
    toy.change(replace(toy.slice, budget=budget("keep 3")))
    assert allowance(toy.slice, toy.fleet, toy.now) == 0
    toy.change(replace(toy.slice, budget=budget("keep 0")))
    assert allowance(toy.slice, toy.fleet, toy.now) == 1
    assert Disruption(toy.slice, toy.fleet).contradiction == ""
