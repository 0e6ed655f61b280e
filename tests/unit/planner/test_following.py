"""A slice that follows another one: it is placed where that one's application runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.fleet import NodeState
from planner.reconcile import reconcile
from planner.reconcile.scope import followed
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, plan, plans, wanted_slice

FOLLOWER = Slice("follower")
FOLLOWS = plan("with_db", "status", app=APP, slice=SLICE, grace="60", **{"is": "running"})


@pytest.fixture
def toy() -> Toy:
    """Five nodes; an application on three of them, and a slice that follows it."""
    follower = replace(wanted_slice("with_db"), name=FOLLOWER, plans=LIMITED | plans(FOLLOWS))
    made = Toy(5, (wanted_slice(), follower))
    made.run()
    return made


def turned(toy: Toy, host: Host, state: State) -> None:
    """The application that is followed is heard in another state."""
    node = toy.nodes[host]
    held = node.applications[SLICE]
    held[APP] = replace(held[APP], state=state)
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)


def test_it_goes_where_the_application_runs(toy: Toy) -> None:
    assert toy.running(FOLLOWER) == toy.running() == set(toy.slice.hosts)
    assert len(toy.running()) == 3


def test_it_goes_along_when_the_application_moves_to_another_node(toy: Toy) -> None:
    lost = min(toy.running())
    toy.nodes[lost].deaf = toy.nodes[lost].mute = True
    toy.fleet.judge(lost, NodeState.FAILED)
    toy.run()
    living = toy.running(FOLLOWER) - {lost}
    assert living == toy.running() - {lost}
    assert len(living) == 3


def test_it_does_not_flap_with_a_restart(toy: Toy) -> None:
    host = min(toy.running())
    turned(toy, host, State.TERMINATED)
    toy.run()
    assert host in toy.wanted.slices[FOLLOWER].hosts
    turned(toy, host, State.RUNNING)
    toy.now += 100
    toy.run()
    assert host in toy.wanted.slices[FOLLOWER].hosts


def test_it_leaves_after_the_grace(toy: Toy) -> None:
    host = min(toy.running())
    turned(toy, host, State.FAILED)
    toy.run(step=5.5)
    assert host not in toy.running(FOLLOWER)


def test_what_is_heard_of_the_one_is_a_reason_to_look_at_the_other(toy: Toy) -> None:
    toy.fleet.take_dirty()
    # A fourth instance: the followed slice asks for one more.
    toy.change(replace(toy.slice, plan_parameters={"count": "4"}))
    for _ in range(8):
        toy.now += 0.1
        only = toy.fleet.take_dirty()
        only.slices.add(SLICE)
        round_ = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now, only=only)
        for change in round_.changes:
            toy.change(change.applied(toy.wanted.slices[change.slice]))
        toy.deliver(round_.orders)
    assert len(toy.running(FOLLOWER)) == 4
    assert followed(toy.wanted.slices[FOLLOWER]) == {SLICE}
    assert not followed(toy.slice)
