"""The disruption budget: what counts as up, and how many may go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import SLIVER_BOOTSTRAP, PlanName
from planner.budget import budget
from planner.disruption import Disruption, Health, allowance
from planner.fleet import NodeState
from planner.standing import Drain, Exclusion, Mark, Standing, Standings, Window, bars_at
from planner.turns import turn
from tests.unit.planner.toy import APP, SLICE, Toy, pinger, wanted_slice

DRAINED = Standing(drain=Drain(by="ann", since=0.0))
EXCLUDED = Standing(excluded=Exclusion(by="ann", since=0.0))


def running(count: int = 5, plan: str = "all_nodes", *, keep: str = "keep 80%") -> Toy:
    toy = Toy(count, (replace(wanted_slice(plan), budget=budget(keep)),))
    toy.run()
    return toy


def allowed(toy: Toy, standings: Standings | None = None) -> int:
    return allowance(toy.slice, toy.fleet, toy.now, standings=standings or {})


def fail_application(toy: Toy) -> None:
    host = min(toy.running())
    held = toy.nodes[host].applications[SLICE]
    held[APP] = replace(held[APP], state=State.FAILED)
    toy.fleet.fold(toy.nodes[host].agent_holdings(SLICE), now=toy.now)


def test_what_is_up_beyond_the_budget_may_go() -> None:
    assert allowed(running(5)) == 1
    assert allowed(running(10)) == 2
    assert allowed(running(5, keep="keep 5")) == 0
    assert allowed(running(5, keep="keep 7")) == 0
    assert allowed(running(5, keep="max-unavailable 5")) == 5


def test_nothing_runs_yet_so_nothing_may_go() -> None:
    toy = Toy(5, (wanted_slice("all_nodes"),))
    assert allowed(toy) == 0
    toy.deliver(toy.round().orders)
    assert allowed(toy) == 0


@pytest.mark.parametrize(
    "state", [NodeState.FAILED, NodeState.PROBATION, NodeState.SUSPECT, NodeState.UNKNOWN]
)
def test_a_node_that_is_not_alive_takes_from_the_budget(state: NodeState) -> None:
    toy = running(10)
    toy.fleet.judge(min(toy.nodes), state)
    assert allowed(toy) == 1


def test_a_failed_application_takes_from_the_budget() -> None:
    toy = running(10)
    fail_application(toy)
    assert allowed(toy) == 1
    fail_application(toy)
    fail_application(toy)
    assert allowed(toy) == 0


def test_failed_nodes_that_a_plan_leaves_out_take_from_the_budget_all_the_same() -> None:
    toy = running(10, "good")
    lost = min(toy.running())
    toy.fleet.judge(lost, NodeState.FAILED)
    toy.nodes[lost].mute = toy.nodes[lost].deaf = True
    toy.run()
    assert lost not in toy.slice.hosts
    assert Disruption(toy.slice, toy.fleet).wanted == 10
    assert allowed(toy) == 1


def test_drained_nodes_are_missed_and_excluded_ones_are_not() -> None:
    toy = running(10)
    host = min(toy.nodes)
    drained, excluded = {host: DRAINED}, {host: EXCLUDED}
    assert Disruption(toy.slice, toy.fleet, bars_at(drained, toy.now)).wanted == 10
    assert Disruption(toy.slice, toy.fleet, bars_at(excluded, toy.now)).wanted == 9
    cordoned = {host: Standing(cordoned=Mark(by="ann", since=0.0))}
    assert allowed(toy, cordoned) == allowed(toy, drained) == allowed(toy) == 2


def test_an_order_under_way_takes_from_the_budget() -> None:
    toy = running(10)
    toy.change(turn(toy.slice, APP, Verb.UPDATE, version=("1.9-1", pinger().packages)))
    assert allowed(toy) == 0
    toy.run()
    assert allowed(toy) == 2


def test_what_still_runs_in_the_version_before_is_not_up() -> None:
    toy = running(1)
    host = min(toy.nodes)
    held = toy.nodes[host].applications[SLICE]
    held[APP] = replace(held[APP], version="1.7-1")
    toy.fleet.fold(toy.nodes[host].agent_holdings(SLICE), now=toy.now)
    assert Disruption(toy.slice, toy.fleet).healths[host] is Health.UNSURE


def test_what_people_stopped_is_as_it_should_be() -> None:
    toy = running(5)
    toy.change(turn(toy.slice, APP, Verb.STOP))
    toy.run()
    assert not toy.running()
    assert allowed(toy) == 1


def test_a_slice_without_applications_is_up_where_its_agent_is() -> None:
    toy = Toy(5, (wanted_slice("all_nodes", apps={}),))
    toy.run()
    assert allowed(toy) == 1


def test_a_planner_that_has_just_started_knows_nothing_to_be_up() -> None:
    toy = running(5)
    again = Toy(5, ())
    again.fleet.load(toy.fleet.take_rows(), now=again.now)
    assert Disruption(toy.slice, again.fleet).up == 0


def test_a_plan_that_cannot_be_evaluated_wants_what_there_is() -> None:
    toy = running(5)
    assert Disruption(replace(toy.slice, plan=PlanName("nonsense")), toy.fleet).wanted == 5
    assert Disruption(replace(toy.slice, plan=PlanName("")), toy.fleet).wanted == 5


def test_a_budget_that_leaves_no_room_says_why() -> None:
    assert Disruption(running(5, keep="keep 4").slice, running(5).fleet).contradiction == ""
    toy = running(5, keep="keep 7")
    assert Disruption(toy.slice, toy.fleet).contradiction == "at least 7 must run, and the plan has only 5"
    toy = running(5, keep="keep 5")
    assert Disruption(toy.slice, toy.fleet).contradiction == (
        "all 5 must run, and the plan has no other node to give"
    )
    spare = running(5, "only3", keep="keep 3")
    assert Disruption(spare.slice, spare.fleet).contradiction == ""


def test_what_stands_at_this_moment_counts() -> None:
    toy = running(10)
    window = Window(by="ann", since=0.0, begins=toy.now + 60, ends=toy.now + 120)
    excluded = dict.fromkeys(sorted(toy.nodes)[:5], EXCLUDED)
    assert allowed(toy, excluded) == 6
    maintained = dict.fromkeys(sorted(toy.nodes)[:5], Standing(windows=(window,)))
    later = allowance(toy.slice, toy.fleet, toy.now + 90, standings=maintained)
    assert later == allowed(toy, maintained) == 2


@pytest.mark.parametrize("ready", [True, False])
def test_an_agent_that_comes_up_again_is_not_known_to_be_up(ready: bool) -> None:  # noqa: FBT001
    toy = running(1)
    host = min(toy.nodes)
    state = State.RUNNING if ready else State.REQUESTED
    toy.fleet.fold(toy.nodes[host].status(SLICE, SLIVER_BOOTSTRAP, state), now=toy.now)
    expected = Health.UP if ready else Health.UNSURE
    assert Disruption(toy.slice, toy.fleet).healths[host] is expected
