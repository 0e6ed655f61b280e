"""A fleet: what is dirty after each event, who is in a state, what is forgotten and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import DEPLOYMENT_STATUS, Sender
from dsmt_core.health import HEALTH, Condition, health_pairs
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, SLIVER_MGR, Application, Host, Slice
from dsmt_core.nodes import FACTS, HOLDINGS, Held, application_pairs, digest, sliver_pairs
from planner.fleet import (
    ALL_FIT,
    NODE,
    ApplicationSeen,
    Dirty,
    Fits,
    Fleet,
    LayerSeen,
    NodeSeen,
    NodeState,
    SeenRow,
    SliverSeen,
)
from planner.fleet.folding import (
    News,
)
from planner.fleet.rows import node_value, sliver_value
from planner.plans.world import Doing

A, B, C = (Host(name) for name in "abc")
XYZ1, OTHER = Slice("xyz1"), Slice("other")
APP, SECOND = Application("pinger"), Application("second")
NEWS, FIGURES, NOTHING = News.CHANGE, News.FIGURES, News.NONE


SLIVER = SliverSeen(
    container=LayerSeen(State.RUNNING, 1.0),
    agent_ready=True,
    fresh=True,
    applications={APP: ApplicationSeen(LayerSeen(State.RUNNING, 3.0), "1-1", 4, 5)},
)
WELL = Condition(connects=1)
LOST_LINK = "its link to the broker is blocked"


# -- the fleet ------------------------------------------------------------------------------------------


class Sky:
    """A fleet with two nodes, and a sender for what is said on them."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        for host in (A, B):
            self.fleet.join(host, now=10.0)
        self.fleet.take_dirty()
        self.fleet.take_rows()
        self.sender = Sender("s", "i", "b")

    def fold(self, channel: Channel, field: str, pairs: Mapping[str, str], now: float = 10.0) -> str:
        event = self.sender.event(channel, field, now=now, id_="x", pairs=dict(pairs))
        return self.fleet.fold(event, now=now)

    def holds(self, host: Host = A, **slivers: int) -> None:
        held = {Slice(name): generation for name, generation in slivers.items()}
        assert self.fold(facts_channel(host), HOLDINGS, sliver_pairs(held)) == ""

    def agent(self, host: Host, slice_: Slice = XYZ1, now: float = 10.0, **states: State) -> None:
        held = {Application(name): Held(1, "1-1", state) for name, state in states.items()}
        channel = status_channel(slice_, DEPLOYMENT_AGENT, host)
        assert self.fold(channel, HOLDINGS, application_pairs(held), now) == ""


def seen_of(sky: Sky, host: Host) -> NodeSeen:
    node = sky.fleet.node(host)
    assert node is not None
    return node


@pytest.fixture
def sky() -> Sky:
    return Sky()


@pytest.mark.parametrize(
    ("channel", "field", "pairs", "why"),
    [
        (facts_channel(C), HOLDINGS, {}, "/org/dsmt/ns/node/c/facts/ is not of a node that is known"),
        (Channel("/com/x/"), "x", {}, "/com/x/ is not of a node that is known"),
        (facts_channel(A), "weather", {}, "the field weather of a node is not known"),
        (Channel("/org/dsmt/ns/node/a/other/"), HOLDINGS, {}, "the field holdings of a node is not known"),
        (status_channel(XYZ1, "odd", A), "x", {}, "the field x of odd is not known"),
        (status_channel(XYZ1, SLIVER_MGR, A), DEPLOYMENT_STATUS, {"status": "odd"}, "'odd' is not a state"),
        (
            status_channel(XYZ1, DEPLOYMENT_AGENT, A),
            HEALTH,
            {},
            f"the health of {DEPLOYMENT_AGENT} is of nothing that is known",
        ),
        (Channel("/org/dsmt/ns/node/a/x/"), HEALTH, {}, "the health of x is of nothing that is known"),
    ],
)
def test_what_cannot_be_folded_is_answered_with_a_reason(
    sky: Sky, channel: Channel, field: str, pairs: dict[str, str], why: str
) -> None:
    assert sky.fold(channel, field, pairs) == why
    assert not sky.fleet.is_dirty
    assert sky.fleet.take_rows() == []


def test_each_event_makes_dirty_what_it_is_about(sky: Sky) -> None:
    sky.holds(xyz1=1)
    assert sky.fleet.take_dirty() == Dirty(nodes={A}, clear=True)
    sky.holds(xyz1=1)
    assert sky.fleet.take_dirty() == Dirty(nodes={A}), "it may be what is waited for"
    assert [(row.host, row.slice) for row in sky.fleet.take_rows()] == [(A, NODE)]
    sky.agent(A, pinger=State.RUNNING)
    assert sky.fleet.take_dirty() == Dirty(hosts={XYZ1: {A}})
    sky.agent(A, pinger=State.RUNNING)
    assert not sky.fleet.is_dirty
    assert sky.fold(facts_channel(A), FACTS, {"cpus": "4"}) == ""
    assert not sky.fleet.is_dirty
    sky.fleet.heard(A, digest({XYZ1: 1}), now=20.0)
    assert sky.fleet.take_dirty() == Dirty(plans=True)
    sky.fleet.label(A, {"x": "1"})
    assert sky.fleet.take_dirty() == Dirty(plans=True)
    sky.fleet.label(A, {"x": "1"})
    sky.fleet.label(C, {"x": "1"})
    assert not sky.fleet.is_dirty
    sky.fleet.sourced("inv", {})
    assert sky.fleet.take_dirty() == Dirty(everything=True)
    sky.fleet.heard(A, "other", now=21.0)
    assert sky.fleet.take_dirty() == Dirty(slices={NODE})
    sky.fleet.heard(A, digest({XYZ1: 1}), now=21.0)
    assert sky.fleet.take_dirty() == Dirty(clear=True), "whoever stayed because it may be there is to go"
    sky.fleet.heard(A, digest({XYZ1: 1}), now=21.0)
    assert not sky.fleet.is_dirty
    sky.fleet.join(A, now=30.0, period=5.0)
    assert not sky.fleet.is_dirty
    assert (sky.fleet.period(A), sky.fleet.heard_at(A)) == (5.0, 21.0)
    sky.fleet.forget(A)
    assert sky.fleet.take_dirty() == Dirty(hosts={XYZ1: {A}}, nodes={A}, plans=True)


def test_what_an_agent_asks_is_counted_and_looked_at(sky: Sky) -> None:
    channel = status_channel(XYZ1, DEPLOYMENT_AGENT, A)
    for number in (1, 2):
        sky.fold(channel, HOLDINGS, {"asks": "yes"})
        assert sky.fleet.asked(XYZ1, A) == number
        assert sky.fleet.take_dirty() == Dirty(hosts={XYZ1: {A}})
    sky.fold(channel, HOLDINGS, {"asks": "no"})
    assert (sky.fleet.asked(XYZ1, A), sky.fleet.asked(XYZ1, B)) == (2, 0)


def test_who_fits_is_judged_anew_of_what_rounds_have_looked_at(sky: Sky) -> None:
    assert sky.fleet.take_unfitted() == Dirty(everything=True)
    sky.fleet.take_dirty()
    assert sky.fleet.take_unfitted() == Dirty()
    sky.agent(A, pinger=State.RUNNING)
    sky.fleet.heard(B, "other", now=11.0)
    sky.fleet.take_dirty()
    assert sky.fleet.take_unfitted() == Dirty(slices={XYZ1, NODE})
    sky.fleet.heard(A, "other", now=12.0)
    sky.fleet.take_dirty()
    changes: list[Callable[[], None]] = [
        lambda: sky.fleet.label(A, {"x": "1"}),
        lambda: sky.holds(B, xyz1=1),
        lambda: sky.fleet.sourced("inv", {}),
    ]
    for change in changes:
        sky.fleet.take_unfitted()
        change()
        sky.fleet.take_dirty()
        assert sky.fleet.take_unfitted().everything
    fits = Fits(out={A: "it fails"})
    sky.fleet.fit({XYZ1: fits})
    assert (sky.fleet.fits(XYZ1), sky.fleet.fits(OTHER)) == (fits, ALL_FIT)
    sky.fleet.fit({XYZ1: Fits()})
    assert sky.fleet.fits(XYZ1) == ALL_FIT
    assert sky.fleet.take_dirty() == Dirty(slices={XYZ1})


def test_where_an_application_is_in_a_state(sky: Sky) -> None:
    def where(state: str, **more: Any) -> list[Host]:
        return sorted(sky.fleet.in_state(XYZ1, Doing(state=state, **more)))

    sky.holds(A, xyz1=1, other=1)
    sky.holds(B, xyz1=1)
    sky.agent(A, pinger=State.RUNNING, second=State.FAILED)
    sky.agent(B, pinger=State.RUNNING, second=State.RUNNING, now=20.0)
    sky.agent(A, OTHER, pinger=State.FAILED)
    assert where("running") == [A, B]
    assert (where("failed"), where("failed", application=APP)) == ([A], [])
    assert where("running", application=SECOND) == [B]
    assert (where("failed", slice=OTHER), where("running", slice=OTHER)) == ([A], [])
    assert where("installed") == []
    sky.agent(B, pinger=State.FAILED, second=State.FAILED, now=50.0)
    assert where("running", lately_s=30.0) == [A, B]
    assert where("running", application=SECOND, lately_s=40.0) == [B]
    assert where("running", application=SECOND, lately_s=30.0) == [B]
    sky.agent(A, pinger=State.RUNNING, second=State.FAILED, now=80.0)
    assert where("running", application=SECOND, lately_s=30.0) == []
    assert where("running", application=SECOND, lately_s=30.5) == [B]
    # The clock is set back: so long before is as long ago (A's failed at 10, B's at 50).
    sky.agent(A, pinger=State.RUNNING, second=State.FAILED, now=-5.0)
    assert where("running", application=SECOND, lately_s=15.0) == []
    assert where("running", application=SECOND, lately_s=15.5) == [A]
    assert where("running", application=SECOND, lately_s=55.5) == [A, B]
    sky.agent(A, pinger=State.RUNNING, second=State.FAILED, now=80.0)
    sky.fleet.judge(A, NodeState.FAILED)
    assert where("running") == []
    assert where("failed") == [A, B]
    sky.fleet.heard(A, "other", now=80.0)
    assert where("running", lately_s=1.0) == [A]


def test_what_an_agent_tells_of_no_more_was_there_lately(sky: Sky) -> None:
    def where(**more: Any) -> list[Host]:
        return sorted(sky.fleet.in_state(XYZ1, Doing(state="running", **more)))

    sky.holds(A, xyz1=1)
    sky.holds(B, xyz1=1)
    sky.agent(A, pinger=State.RUNNING, second=State.RUNNING)
    sky.agent(B, pinger=State.RUNNING)
    # The agent has lost its record of one, and a new life of the other sliver begins.
    sky.agent(A, now=50.0, pinger=State.RUNNING)
    assert (
        sky.fold(status_channel(XYZ1, SLIVER_MGR, B), DEPLOYMENT_STATUS, {"status": "requested"}, 60.0)
        == ""
    )
    assert (where(application=SECOND), where(application=APP)) == ([], [A])
    assert where(application=SECOND, lately_s=10.0) == []
    assert where(application=SECOND, lately_s=10.5) == [A]
    assert where(application=APP, lately_s=10.0) == [A, B]
    assert where(lately_s=10.0) == [A, B]
    # What is told of again is judged by what is told.
    sky.agent(A, now=100.0, pinger=State.RUNNING, second=State.FAILED)
    sky.agent(A, now=200.0, pinger=State.RUNNING, second=State.FAILED)
    assert where(application=SECOND, lately_s=160.0) == [A]
    assert where(application=SECOND, lately_s=99.0) == []
    assert where(application=APP, lately_s=139.0) == [A]
    assert where(application=APP, lately_s=140.5) == [A, B]


def test_of_what_is_told_of_no_more_the_last_few_are_remembered() -> None:
    sliver = SliverSeen()
    names = [Application(f"a{number}") for number in range(18)]
    for name in names:
        sliver.application(name)
    sliver.leave(names[:10], 1.0)
    sliver.leave(names[10:], 2.0)
    assert sliver.left == dict.fromkeys(names[2:10], 1.0) | dict.fromkeys(names[10:], 2.0)
    assert sliver.applications == {}
    sliver.application(names[5])
    assert names[5] not in sliver.left


def test_a_node_that_failed_or_is_not_certain_is_counted_so(sky: Sky) -> None:
    for state, failed, doubtful in (
        (NodeState.UNKNOWN, False, True),
        (NodeState.ALIVE, False, False),
        (NodeState.SUSPECT, False, True),
        (NodeState.FAILED, True, False),
        (NodeState.PROBATION, True, False),
        (NodeState.ALIVE, False, False),
    ):
        sky.fleet.judge(A, state)
        assert (A in sky.fleet.back_or_failed(), A in sky.fleet.doubtful()) == (failed, doubtful)
        assert sky.fleet.state(A) is state
    assert [row.host for row in sky.fleet.take_rows()] == [A]
    assert (sky.fleet.state(C), sky.fleet.heard_at(C), sky.fleet.period(C)) == (NodeState.UNKNOWN, 0.0, 1.0)
    assert sky.fleet.heard(C, "", now=1.0) == "the node c is not known"


def test_hosts_that_have_not_joined_were_forgotten(sky: Sky) -> None:
    sky.fleet.lacks([A, C])
    assert sky.fleet.forgotten == {C}
    sky.fleet.join(C, now=11.0, period=3.0)
    assert (sky.fleet.forgotten, sky.fleet.period(C)) == (frozenset(), 3.0)
    assert C in sky.fleet.unclear()
    assert C in sky.fleet.doubtful()


def test_of_a_node_that_is_forgotten_nothing_is_left(sky: Sky) -> None:
    sky.holds(A, xyz1=1)
    sky.agent(A, pinger=State.RUNNING)
    sky.fold(facts_channel(A), HEALTH, health_pairs(Condition(link="blocked")))
    assert sky.fold(status_channel(XYZ1, DEPLOYMENT_AGENT, A), HEALTH, health_pairs(WELL)) == ""
    assert sky.fleet.healths.unwell(NODE, A, 10.0) == [LOST_LINK]
    sky.fleet.forget(A)
    sky.fleet.forget(C)
    assert (sky.fleet.healths.shown(NODE, A), sky.fleet.healths.shown(XYZ1, A)) == (None, None)
    assert [*sky.fleet.holders(XYZ1), *sky.fleet.slivers()] == []
    assert sky.fleet.forgotten == {A}
    assert dict(sky.fleet.hosts) == {B: 0}
    assert sky.fleet.unclear() == sky.fleet.doubtful() == {B}
    assert sky.fleet.node(A) is None


def test_heartbeats_tell_whether_a_node_holds_what_it_said(sky: Sky) -> None:
    sky.holds(xyz1=1)
    sky.fleet.heard(A, "other", now=11.0, boot_id="b1", period=2.0)
    assert (seen_of(sky, A).differs_since, A in sky.fleet.unclear(), sky.fleet.heard_last) == (
        11.0,
        True,
        11.0,
    )
    sky.fleet.heard(A, "other", now=12.0)
    assert seen_of(sky, A).differs_since == 11.0
    assert (sky.fleet.columns.boot_id[0], sky.fleet.period(A)) == ("b1", 2.0)
    sky.fleet.heard(A, digest({XYZ1: 1}), now=9.0)
    assert seen_of(sky, A).differs_since is None
    assert (A in sky.fleet.unclear(), sky.fleet.heard_last) == (False, 9.0)
    # What it says after its heartbeat agrees, too.
    sky.fleet.heard(A, digest({XYZ1: 2}), now=13.0)
    sky.holds(xyz1=2)
    assert seen_of(sky, A).differs_since is None
    assert sky.fleet.unclear() == {B}
    sky.fleet.heard(B, digest({}), now=13.0)
    assert B in sky.fleet.unclear()


def test_a_sliver_that_ended_and_is_held_no_more_is_forgotten(sky: Sky) -> None:
    channel = status_channel(XYZ1, SLIVER_MGR, A)
    sky.holds(xyz1=1)
    sky.fold(channel, DEPLOYMENT_STATUS, {"status": "terminated"})
    assert sky.fleet.sliver(XYZ1, A) is not None
    sky.holds()
    assert (sky.fleet.sliver(XYZ1, A), sky.fleet.holders(XYZ1)) == (None, set())
    sky.fold(channel, DEPLOYMENT_STATUS, {"status": "running"})
    assert sky.fleet.sliver(XYZ1, A) is not None
    sky.fleet.take_rows()
    sky.fold(channel, DEPLOYMENT_STATUS, {"status": "terminated"})
    assert sky.fleet.sliver(XYZ1, A) is None
    assert sky.fleet.take_rows() == [SeenRow(A, XYZ1, None)]


def test_what_is_loaded_is_old_and_makes_everything_dirty() -> None:
    fleet = Fleet()
    node = node_value(NodeSeen(slivers={XYZ1: 1}), state=NodeState.PROBATION, period=3.0)
    nothing = node_value(NodeSeen(), state=NodeState.ALIVE, period=1.0)
    rows = [
        SeenRow(A, XYZ1, sliver_value(SLIVER)),
        SeenRow(C, XYZ1, sliver_value(SLIVER)),
        SeenRow(A, NODE, node),
        SeenRow(B, NODE, nothing),
        SeenRow(C, NODE, None),
    ]
    fleet.load(rows, now=500.0)
    assert (fleet.state(A), fleet.state(B)) == (NodeState.FAILED, NodeState.UNKNOWN)
    assert fleet.back_or_failed() == {A}
    assert fleet.doubtful() == fleet.unclear() == {B}
    assert (fleet.period(A), fleet.heard_at(A), dict(fleet.hosts)) == (3.0, 500.0, {A: 0, B: 1})
    assert (fleet.holders(XYZ1), list(fleet.slivers())) == ({A}, [(XYZ1, A)])
    assert fleet.sliver(XYZ1, A) == replace(SLIVER, fresh=False)
    assert fleet.take_dirty().everything
    assert fleet.take_rows() == []


def test_the_bootstrap_speaks_for_the_agent(sky: Sky) -> None:
    channel = status_channel(XYZ1, SLIVER_BOOTSTRAP, A)
    assert sky.fold(channel, DEPLOYMENT_STATUS, {"status": "running"}, now=12.0) == ""
    sliver = sky.fleet.sliver(XYZ1, A)
    assert sliver is not None
    assert (sliver.agent.state, sliver.container.state) == (State.RUNNING, State.UNDEFINED)
    assert sky.fleet.heard_last == 12.0


@pytest.mark.parametrize(
    ("dirty", "is_dirty"),
    [
        (Dirty(), False),
        (Dirty(slices={XYZ1}), True),
        (Dirty(hosts={XYZ1: {A}}), True),
        (Dirty(nodes={A}), True),
        (Dirty(plans=True), True),
        (Dirty(everything=True), True),
    ],
)
def test_what_has_changed_is_to_be_looked_at(dirty: Dirty, is_dirty: bool) -> None:  # noqa: FBT001
    assert bool(dirty) is is_dirty


def test_only_new_facts_make_plans_be_asked_anew(sky: Sky) -> None:
    sky.holds(xyz1=1)
    sky.fleet.take_dirty()
    assert sky.fleet.heard(A, digest({XYZ1: 1}), now=20.0, period=0.5) == ""
    assert not sky.fleet.is_dirty
    assert sky.fleet.period(A) == 0.5
    sky.fold(facts_channel(A), FACTS, {"cpus": "4"})
    sky.fleet.heard(A, digest({XYZ1: 1}), now=21.0)
    assert sky.fleet.take_dirty() == Dirty(plans=True)
    sky.fold(facts_channel(A), FACTS, {"cpus": "4"})
    sky.fleet.heard(A, digest({XYZ1: 1}), now=23.0)
    assert not sky.fleet.is_dirty


def test_what_rounds_have_looked_at_adds_up(sky: Sky) -> None:
    sky.fleet.take_unfitted()
    for slice_ in (XYZ1, OTHER):
        sky.agent(A, slice_, pinger=State.RUNNING)
        sky.fleet.take_dirty()
    assert sky.fleet.take_unfitted() == Dirty(slices={XYZ1, OTHER})
    sky.fleet.sourced("inv", {})
    sky.fleet.take_dirty()
    sky.fleet.take_dirty()
    assert sky.fleet.take_unfitted() == Dirty(everything=True)


def test_a_node_that_was_fresh_stays_so_and_who_was_forgotten_is_remembered(sky: Sky) -> None:
    sky.holds(xyz1=1)
    sky.fleet.heard(A, "other", now=11.0)
    assert seen_of(sky, A).fresh
    sky.fleet.lacks([C])
    sky.fleet.lacks([Host("d")])
    assert sky.fleet.forgotten == {C, Host("d")}


def test_rows_have_no_holes_whoever_is_forgotten(sky: Sky) -> None:
    for number, host in enumerate((Host("z"), C, Host("m"))):
        sky.fleet.join(host, now=100.0 + number)
    sky.fleet.forget(A)
    assert dict(sky.fleet.hosts) == {B: 1, Host("z"): 2, C: 3, Host("m"): 0}
    assert [sky.fleet.heard_at(host) for host in (B, Host("z"), C, Host("m"))] == [
        10.0,
        100.0,
        101.0,
        102.0,
    ]
    sky.fleet.forget(C)
    assert dict(sky.fleet.hosts) == {B: 1, Host("z"): 2, Host("m"): 0}
    sky.fleet.take_dirty()
    sky.fleet.forget(C)
    assert not sky.fleet.is_dirty
