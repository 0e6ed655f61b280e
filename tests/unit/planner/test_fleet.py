"""Seen: what events change, what is ignored and why, and what comes back after a start."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import (
    DEPLOYMENT_AGENT,
    SLIVER_BOOTSTRAP,
    SLIVER_MGR,
    Host,
    Slice,
)
from dsmt_core.nodes import FACTS, HOLDINGS, Held, application_pairs, digest, gone_pairs, sliver_pairs
from planner.fleet import NODE, Fleet, NodeState, SeenRow
from tests.unit.planner.toy import APP, SLICE, hosts

A, B, C = hosts(3)


class Sky:
    """A fleet and senders for its events."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.now = 10.0
        for host in (A, B):
            self.fleet.join(host, now=self.now)
        self.fleet.take_dirty()
        self.sender = Sender("s", "i", "b")

    def event(self, channel: Channel, field: str, **pairs: str) -> Event:
        return self.sender.event(channel, field, now=self.now, id_="x", pairs=pairs)

    def fold(self, channel: Channel, field: str, **pairs: str) -> str:
        return self.fleet.fold(self.event(channel, field, **pairs), now=self.now)

    def agent(self, field: str, **pairs: str) -> str:
        return self.fold(status_channel(SLICE, DEPLOYMENT_AGENT, A), field, **pairs)

    def layer(self, component: str, state: State, **pairs: str) -> str:
        return self.fold(status_channel(SLICE, component, A), DEPLOYMENT_STATUS, status=state, **pairs)

    def holds(self, **slivers: int) -> str:
        held = {Slice(name): generation for name, generation in slivers.items()}
        return self.fold(facts_channel(A), HOLDINGS, **sliver_pairs(held))


def test_each_layer_is_seen_with_its_state_and_since_when() -> None:
    sky = Sky()
    for component in (SLIVER_MGR, SLIVER_BOOTSTRAP):
        sky.now += 1
        assert sky.layer(component, State.RUNNING) == ""
    sliver = sky.fleet.sliver(SLICE, A)
    assert sliver is not None
    assert (sliver.container.state, sliver.container.since) == (State.RUNNING, 11.0)
    assert (sliver.agent.state, sliver.agent.since, sliver.agent_ready) == (State.RUNNING, 12.0, True)
    assert sky.fleet.take_dirty().hosts == {SLICE: {A}}


def test_an_application_is_seen_through_its_states_status_and_holdings() -> None:
    sky = Sky()
    sky.agent(DEPLOYMENT_STATUS, status="failed", managed=APP, generation="3", version="1.8-1", reason="no")
    sky.agent(
        STATUS,
        application=APP,
        state="running",
        text="ok,status=running",
        generation="3",
        version="1.8-1",
        **{"exit-code": "0"},
    )
    sliver = sky.fleet.sliver(SLICE, A)
    assert sliver is not None
    seen = sliver.applications[APP]
    assert (seen.state, seen.text, seen.exit_code) == (State.RUNNING, "ok,status=running", "0")
    assert (seen.generation, seen.version, seen.held) == (3, "1.8-1", False)
    sky.agent(HOLDINGS, **application_pairs({APP: Held(4, "1.9-1", State.RUNNING, 2)}))
    assert (seen.generation, seen.version, seen.restarts, seen.held) == (4, "1.9-1", 2, True)
    sky.agent(HOLDINGS)
    assert sliver.applications == {}


def test_old_senders_that_say_state_instead_of_status_are_understood() -> None:
    sky = Sky()
    assert sky.fold(status_channel(SLICE, SLIVER_MGR, A), DEPLOYMENT_STATUS, state="running") == ""
    sliver = sky.fleet.sliver(SLICE, A)
    assert sliver is not None
    assert sliver.container.state is State.RUNNING


def test_figures_alone_make_nothing_dirty() -> None:
    sky = Sky()
    status = {"application": APP, "state": "running", "generation": "1", "version": "1"}
    sky.agent(STATUS, **status, text="one")
    sky.fleet.take_dirty()
    sky.fleet.take_rows()
    sky.agent(STATUS, **status, text="two")
    assert not sky.fleet.take_dirty()
    assert [(row.host, row.slice) for row in sky.fleet.take_rows()] == [(A, SLICE)]
    sky.agent(STATUS, **status, text="two")
    assert sky.fleet.take_rows() == []


def test_holdings_say_what_is_there_what_is_gone_and_who_asks() -> None:
    sky = Sky()
    pairs = sliver_pairs({SLICE: 4}) | gone_pairs({Slice("old"): 3}) | {"asks": "yes", "hostname": A}
    assert sky.fold(facts_channel(A), HOLDINGS, **pairs) == ""
    node = sky.fleet.node(A)
    assert node is not None
    assert (node.slivers, node.gone) == ({SLICE: 4}, {"old": 3})
    assert (sky.fleet.held(SLICE, A), sky.fleet.held(SLICE, B)) == (4, None)
    assert (sky.fleet.asked(NODE, A), sky.fleet.asked(NODE, B)) == (1, 0)
    assert sky.fleet.holders(SLICE) == {A}
    assert sky.fleet.take_dirty().nodes == {A}


def test_what_was_seen_of_a_sliver_goes_with_it() -> None:
    sky = Sky()
    sky.holds(xyz1=1)
    sky.layer(SLIVER_MGR, State.RUNNING)
    sky.holds()
    assert sky.fleet.sliver(SLICE, A) is None
    assert sky.fleet.held_slices() == set()
    sky.layer(SLIVER_MGR, State.TERMINATED)
    assert sky.fleet.sliver(SLICE, A) is None


def test_a_digest_that_differs_makes_a_node_unclear_until_it_agrees() -> None:
    sky = Sky()
    assert sky.fleet.unclear() == {A, B}
    sky.holds(xyz1=1)
    assert sky.fleet.unclear() == {B}
    sky.fleet.heard(A, digest({SLICE: 2}), now=11.0)
    assert sky.fleet.unclear() == {A, B}
    sky.fleet.heard(A, digest({SLICE: 1}), now=12.0, boot_id="b", period=2.0)
    assert sky.fleet.unclear() == {B}
    assert (sky.fleet.heard_at(A), sky.fleet.period(A)) == (12.0, 2.0)


def test_doubles_and_what_comes_late_from_an_earlier_life_are_ignored() -> None:
    sky = Sky()
    channel = facts_channel(A)
    first = sky.event(channel, HOLDINGS, **sliver_pairs({SLICE: 1}))
    second = sky.event(channel, HOLDINGS, **sliver_pairs({SLICE: 2}))
    assert sky.fleet.fold(second, now=10.0) == ""
    assert "older" in sky.fleet.fold(first, now=10.0)
    sky.now += 5
    sky.sender = Sender("s", "i", "second life")
    assert sky.holds(xyz1=3) == ""
    late = replace(second, seq=99)
    assert "earlier life" in sky.fleet.fold(late, now=16.0)
    assert sky.fleet.held(SLICE, A) == 3


def test_a_clock_that_was_set_back_far_does_not_wedge() -> None:
    sky = Sky()
    sky.now = 1_000_000.0
    sky.holds(xyz1=1)
    sky.now, sky.sender = 1_000.0, Sender("s", "i", "after the reboot")
    assert sky.holds(xyz1=2) == ""


@pytest.mark.parametrize(
    ("channel", "field", "pairs"),
    [
        (facts_channel(C), HOLDINGS, {}),
        (Channel("/com/example/pinger/"), "x", {}),
        (facts_channel(A), HOLDINGS, {"sliver.xyz1": "-1"}),
        (facts_channel(A), HOLDINGS, {"sliver.x y": "1"}),
        (facts_channel(A), HOLDINGS, {"gone.xyz1": "one"}),
        (facts_channel(A), "weather", {}),
        (facts_channel(A), FACTS, {f"fact{number}": "x" for number in range(101)}),
        (status_channel(SLICE, SLIVER_MGR, A), DEPLOYMENT_STATUS, {"status": "happy"}),
        (status_channel(SLICE, SLIVER_MGR, A), DEPLOYMENT_STATUS, {}),
        (status_channel(SLICE, "org.example.other", A), DEPLOYMENT_STATUS, {"status": "running"}),
        (status_channel(SLICE, DEPLOYMENT_AGENT, A), DEPLOYMENT_STATUS, {"status": "running"}),
        (
            status_channel(SLICE, DEPLOYMENT_AGENT, A),
            DEPLOYMENT_STATUS,
            {"status": "running", "managed": "pinger", "generation": "x"},
        ),
        (status_channel(SLICE, DEPLOYMENT_AGENT, A), STATUS, {"application": "pinger", "state": ""}),
        (status_channel(SLICE, DEPLOYMENT_AGENT, A), HOLDINGS, {"application.pinger": "1"}),
        (status_channel(SLICE, DEPLOYMENT_AGENT, A), HOLDINGS, {"application.pinger": "1 running x 1"}),
    ],
)
def test_an_odd_event_is_ignored_with_its_reason_and_changes_nothing(
    channel: Channel, field: str, pairs: dict[str, str]
) -> None:
    sky = Sky()
    assert sky.fold(channel, field, **pairs)
    assert not sky.fleet.take_dirty()
    assert sky.fleet.sliver(SLICE, A) is None
    assert sky.fleet.unclear() == {A, B}


@given(
    st.sampled_from([HOLDINGS, STATUS, DEPLOYMENT_STATUS, FACTS]),
    st.sampled_from([SLIVER_MGR, SLIVER_BOOTSTRAP, DEPLOYMENT_AGENT, ""]),
    st.dictionaries(
        st.sampled_from(
            ["status", "managed", "generation", "state", "sliver.a", "application.b", "gone.c", "asks"]
        ),
        st.text(max_size=30) | st.sampled_from(["running", "1", "1 running 0 1-1", "yes", "pinger"]),
    ),
)
def test_no_event_makes_folding_raise(field: str, component: str, pairs: dict[str, str]) -> None:
    sky = Sky()
    channel = status_channel(SLICE, component, A) if component else facts_channel(A)
    assert isinstance(sky.fold(channel, field, **pairs), str)


def test_heartbeats_of_strangers_are_ignored() -> None:
    assert "not known" in Fleet().heard(A, "", now=1.0)


def test_judgements_are_kept_and_make_the_node_and_all_plans_dirty() -> None:
    sky = Sky()
    sky.fleet.judge(A, NodeState.FAILED)
    sky.fleet.judge(C, NodeState.FAILED)
    assert (sky.fleet.state(A), sky.fleet.state(C)) == (NodeState.FAILED, NodeState.UNKNOWN)
    assert sky.fleet.back_or_failed() == {A}
    assert sky.fleet.doubtful() == {B}
    dirty = sky.fleet.take_dirty()
    assert (dirty.nodes, dirty.plans, dirty.everything) == ({A}, True, False)
    sky.fleet.judge(A, NodeState.FAILED)
    assert not sky.fleet.take_dirty()


def test_facts_are_kept_and_a_site_is_one_of_them() -> None:
    sky = Sky()
    sky.fold(facts_channel(A), FACTS, hostname=A, cpus="4", site="here")
    sky.fold(facts_channel(A), FACTS, cpus="8")
    node = sky.fleet.node(A)
    assert node is not None
    assert node.facts == {"cpus": "8", "site": "here"}
    assert sky.fleet.ground.texts("site")[sky.fleet.ground.rows[A]] == "here"


def test_a_forgotten_node_leaves_nothing_and_may_come_again() -> None:
    sky = Sky()
    sky.holds(xyz1=1)
    sky.layer(SLIVER_MGR, State.RUNNING)
    sky.fleet.heard(B, "d", now=77.0)
    sky.fleet.take_rows()
    sky.fleet.forget(A)
    sky.fleet.forget(A)
    assert list(sky.fleet.hosts) == [B]
    assert sky.fleet.heard_at(B) == 77.0
    assert sky.fleet.forgotten == {A}
    assert {(row.host, row.slice): row.value for row in sky.fleet.take_rows()} == {
        (A, NODE): None,
        (A, SLICE): None,
    }
    sky.fleet.join(A, now=80.0)
    assert sky.fleet.forgotten == set()
    assert sky.fleet.held(SLICE, A) is None


def stored(fleet: Fleet) -> list[SeenRow]:
    """The rows as a store gives them back."""
    rows = fleet.take_rows()
    return [SeenRow(row.host, row.slice, json.loads(json.dumps(row.value))) for row in rows]


def test_what_is_written_behind_comes_back_marked_old() -> None:
    sky = Sky()
    sky.holds(xyz1=5)
    sky.layer(SLIVER_BOOTSTRAP, State.RUNNING)
    sky.agent(HOLDINGS, **application_pairs({APP: Held(5, "1.8-1", State.RUNNING, 1)}))
    sky.fold(facts_channel(A), FACTS, cpus="4")
    sky.fleet.judge(A, NodeState.ALIVE)
    sky.fleet.judge(B, NodeState.PROBATION)
    after = Fleet()
    after.load(stored(sky.fleet), now=500.0)
    assert after.hosts.keys() == {A, B}
    assert (after.state(A), after.state(B)) == (NodeState.UNKNOWN, NodeState.FAILED)
    assert (after.held(SLICE, A), after.heard_at(A)) == (5, 500.0)
    assert after.holders(SLICE) == {A}
    before, sliver = sky.fleet.sliver(SLICE, A), after.sliver(SLICE, A)
    assert before is not None
    assert sliver is not None
    assert sliver == replace(before, fresh=False)
    node = after.node(A)
    assert node is not None
    assert (node.fresh, node.facts) == (False, {"cpus": "4"})
    after.heard(A, digest({SLICE: 4}), now=500.5)
    assert fresh(after, A) is False, "it holds something else by now"
    after.heard(A, digest({SLICE: 5}), now=501.0)
    assert fresh(after, A) is True, "what was loaded is what it holds"
    assert after.unclear() == {B}
    after.heard(B, digest({}), now=501.0)
    assert fresh(after, B) is False, "nothing was loaded of it"
    assert after.take_rows() == []


def test_the_row_of_a_sliver_holds_all_that_is_seen_of_it() -> None:
    sky = Sky()
    sky.holds(xyz1=5)
    sky.layer(SLIVER_BOOTSTRAP, State.FAILED, reason="no room")
    sky.agent(HOLDINGS, **application_pairs({APP: Held(5, "1.8-1", State.RUNNING, 1, "d1")}))
    sky.agent(STATUS, application=APP, state="failed", generation="5", text="gone", **{"exit-code": "3"})
    sliver = sky.fleet.sliver(SLICE, A)
    assert sliver is not None
    assert [row.value for row in sky.fleet.take_rows() if row.slice == SLICE] == [asdict(sliver)]


def fresh(fleet: Fleet, host: Host) -> bool:
    node = fleet.node(host)
    return node is not None and node.fresh
