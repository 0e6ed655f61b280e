"""How one host is to a roll-out, and how far it is said to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import SLIVER_BOOTSTRAP, Host
from planner.fleet import NodeState
from planner.release import Release
from planner.rollout import Phase, Rollout, policy
from planner.rollout.looks import Being, Look, look
from planner.rollout.report import shown, written
from planner.wanted import Placement, Run
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, wanted_slice

HOST = hosts(1)[0]
OLD = Release("1.8-1").name


@pytest.fixture
def toy() -> Toy:
    """One host that runs the application since 100.1 s."""
    toy = Toy(1, (wanted_slice("all_nodes"),))
    toy.run()
    return toy


def placed(toy: Toy) -> Placement:
    [placement] = toy.slice.placements
    return placement


def seen(toy: Toy, placement: Placement | None = None) -> Look:
    return look(toy.slice, toy.fleet, HOST, placement or placed(toy))


def say(toy: Toy, state: State, version: str = "1.8-1") -> float:
    """The agent says how the application is; when."""
    toy.now += 5
    held = toy.nodes[HOST].applications[SLICE]
    held[APP] = replace(held[APP], state=state, version=version)
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    return toy.now


def test_a_host_that_joins_has_nothing_yet(toy: Toy) -> None:
    assert look(toy.slice, toy.fleet, HOST, None) == Look(HOST, Release("").name, Being.NEW)


def test_what_runs_as_placed_is_up_and_well_since_then(toy: Toy) -> None:
    say(toy, State.FAILED)
    since = say(toy, State.RUNNING)
    assert seen(toy) == Look(HOST, OLD, Being.UP, well_since=since)


def test_what_has_failed_is_down_and_not_well(toy: Toy) -> None:
    since = say(toy, State.FAILED)
    assert seen(toy) == Look(HOST, OLD, Being.DOWN, failed_since=since)
    since = say(toy, State.FAILED, version="")
    assert seen(toy).failed_since is not None, "it could not even be installed"


def test_what_runs_or_fails_at_another_version_says_nothing_about_this_one(toy: Toy) -> None:
    for state in (State.RUNNING, State.FAILED, State.TERMINATED):
        say(toy, state, version="1.7-1")
        assert seen(toy) == Look(HOST, OLD, Being.DOWN)


def test_what_people_stopped_is_well_when_it_has_ended(toy: Toy) -> None:
    since = say(toy, State.TERMINATED)
    assert seen(toy) == Look(HOST, OLD, Being.DOWN)
    stopped = replace(placed(toy), run=Run.STOPPED)
    assert seen(toy, stopped) == Look(HOST, OLD, Being.DOWN, well_since=since)


def test_an_order_under_way_makes_it_unknown(toy: Toy) -> None:
    ahead = replace(placed(toy), generation=placed(toy).generation + 1)
    assert seen(toy, ahead) == Look(HOST, OLD, Being.UNKNOWN)


@pytest.mark.parametrize(
    ("state", "being", "living"),
    [
        (NodeState.FAILED, Being.LOST, False),
        (NodeState.PROBATION, Being.LOST, False),
        (NodeState.SUSPECT, Being.UNKNOWN, True),
        (NodeState.UNKNOWN, Being.UNKNOWN, True),
    ],
)
def test_a_node_that_is_not_alive_tells_nothing(
    toy: Toy,
    state: NodeState,
    being: Being,
    living: bool,  # noqa: FBT001
) -> None:
    toy.fleet.judge(HOST, state)
    assert seen(toy) == Look(HOST, OLD, being)
    assert seen(toy).is_living is living


def test_an_application_that_its_agent_does_not_name_is_not_there(toy: Toy) -> None:
    toy.nodes[HOST].applications[SLICE].clear()
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    assert seen(toy) == Look(HOST, OLD, Being.DOWN)
    toy.fleet.fold(toy.nodes[HOST].status(SLICE, SLIVER_BOOTSTRAP, State.REQUESTED), now=toy.now)
    assert seen(toy).being is Being.UNKNOWN


def test_where_the_node_has_no_sliver_nothing_is_there(toy: Toy) -> None:
    node = toy.nodes[HOST]
    node.slivers.clear()
    node.applications.clear()
    toy.fleet.fold(node.holdings(), now=toy.now)
    toy.beat(node)
    assert seen(toy) == Look(HOST, OLD, Being.DOWN)
    toy.fleet.heard(HOST, "another digest", now=toy.now)
    assert seen(toy).being is Being.UNKNOWN


ROLLOUT = Rollout(
    number=2,
    before=Release("1.7-1").name,
    after=Release("1.8-1"),
    policy=policy(["1", "50%"], min_healthy_s=5.0, deadline_s=60.0, errors="3", need="75%"),
    changes=("version 1.7-1 becomes 1.8-1",),
    wave=1,
    told={Host("z"): 1.0, Host("y"): 2.0},
    well=4,
    ill=1,
    failed={Host("x"): "exit 1"},
    reason="1 of 1 of wave 1 are well",
    by="ann",
    began_at=10.0,
    moved_at=20.0,
)


def test_a_roll_out_is_written_for_people() -> None:
    assert written(APP, ROLLOUT) == {
        "application": "pinger",
        "number": 2,
        "phase": "running",
        "active": True,
        "from_version": "1.7-1",
        "version": "1.8-1",
        "from_configuration": "",
        "configuration": "",
        "changes": ["version 1.7-1 becomes 1.8-1"],
        "wave": 2,
        "waves": ["1", "50%", "100%"],
        "min_healthy_s": 5.0,
        "deadline_s": 60.0,
        "errors": "3",
        "need": "75%",
        "well": 4,
        "ill": 1,
        "failures": 1,
        "failed": {"x": "exit 1"},
        "reason": "1 of 1 of wave 1 are well",
        "by": "ann",
        "began_at": 10.0,
        "moved_at": 20.0,
    }


def test_at_most_a_hundred_hosts_are_named() -> None:
    names = {Host(f"h{number:03}"): 1.0 for number in range(101)}
    many = replace(ROLLOUT, told=names, failed=dict.fromkeys(names, "exit 1"))
    told = written(APP, many)
    assert (len(told["failed"]), told["failures"]) == (100, 101)
    toy = Toy(1, (replace(wanted_slice(), rollouts={APP: many}),))
    assert len(shown(toy.slice, toy.fleet, APP, ())["awaited"]) == 100


def test_it_is_shown_how_far_it_is() -> None:
    toy = Toy(5, (wanted_slice("all_nodes"),))
    toy.run()
    one, other = sorted(toy.nodes)[:2]
    toy.fleet.judge(one, NodeState.FAILED)
    placements = tuple(
        replace(each, version="1.7-1") if each.host == other else each for each in toy.slice.placements
    )
    slice_ = replace(toy.slice, placements=placements, rollouts={APP: ROLLOUT})
    told = shown(slice_, toy.fleet, APP, ["for a while"])
    assert told.items() >= written(APP, ROLLOUT).items()
    more = {name: told[name] for name in told.keys() - written(APP, ROLLOUT).keys()}
    assert more == {
        "hosts": 5,
        "new": 4,
        "running": 3,
        "target": 2,
        "awaited": ["y", "z"],
        "waits": ["for a while"],
    }
    ended = replace(slice_, rollouts={APP: replace(ROLLOUT, phase=Phase.DONE)})
    assert shown(ended, toy.fleet, APP, ())["target"] == 5
