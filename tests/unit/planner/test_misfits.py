"""Hosts on which an application does not come to run, though it does elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_MGR, Host, PlanName
from planner.failed_nodes import Grace, Misfits
from planner.failed_nodes.misfit import misfit_value, places, read_misfit
from planner.fleet import ALL_FIT, NodeState
from planner.outlook import world_of
from planner.plans import evaluate
from planner.reconcile import summary
from planner.wanted import Run, Wanted
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, ToyNode, pinger, wanted_slice

OUT = Grace().out_s


class Trial:
    """A toy world at rest, with a judge over it; what is broken fails wherever it is started."""

    def __init__(self, count: int = 6, instances: int = 3) -> None:
        slice_ = replace(wanted_slice(), plan_parameters={"count": str(instances)})
        self.toy = Toy(count, (slice_,))
        self.judge = Misfits()
        self.broken: set[Host] = set()
        self.bad: set[str] = set()
        self.toy.run()
        self.wait(5)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.toy.now += 1
            for node in self.toy.nodes.values():
                self.toy.beat(node)
                self._fail(node)
            self.toy.deliver(self.toy.round().orders)
            self.tick()

    def _fail(self, node: ToyNode) -> None:
        held = node.applications.get(SLICE, {}).get(APP)
        if held is None:
            return
        ill = node.host in self.broken or held.version in self.bad
        state = State.FAILED if ill else State.RUNNING
        if held.state is not state:
            node.applications[SLICE][APP] = replace(held, state=state)
            pairs = {"managed": APP, "generation": str(held.generation), "version": held.version}
            reason = {"reason": "its port is taken"} if ill else {}
            event = node.status(SLICE, DEPLOYMENT_AGENT, state, **pairs, **reason)
            assert not self.toy.fleet.fold(event, now=self.toy.now)

    def tick(self) -> None:
        # As the rounds do.
        self.toy.fleet.take_dirty()
        self.toy.fleet.fit(self.judge.tick(self.toy.wanted, self.toy.fleet, self.toy.now))

    @property
    def hosts(self) -> set[Host]:
        return set(self.toy.slice.hosts)

    @property
    def out(self) -> set[Host]:
        return set(self.toy.fleet.fits(SLICE).out)


def test_what_fails_on_one_host_moves_and_the_host_is_tried_again_later() -> None:
    trial = Trial()
    before = trial.hosts
    bad = min(before)
    trial.broken = {bad}
    trial.wait(15)
    assert trial.hosts == before, "the agent tries by itself first"
    trial.wait(15)
    assert len(trial.toy.running()) == 3
    assert before - trial.hosts == {bad}
    assert trial.out == {bad}
    trial.wait(OUT)
    assert trial.out == set()
    assert trial.hosts != before, "what runs elsewhere stays there"


def test_the_wait_is_doubled_by_each_further_failure_and_bounded() -> None:
    judge = Misfits(Grace(most_out_s=4 * OUT), draw=lambda: 1.0)
    trial = Trial()
    trial.judge = judge
    bad = min(trial.hosts)
    trial.broken = {bad}
    waits = []
    for failures in range(1, 5):
        while not trial.out:
            trial.wait(1)
        ((_, known),) = judge.of_host(bad, trial.toy.now)
        assert known.failures == failures
        waits.append(known.until - known.since)
        trial.wait(known.until - trial.toy.now + 1)
        only = replace(trial.toy.slice, plan=PlanName("nodes"), plan_parameters={"list": bad})
        trial.toy.change(only)
    assert waits == pytest.approx([1.25 * OUT, 2.5 * OUT, 4 * OUT, 4 * OUT])


def test_what_fails_on_most_hosts_is_to_blame_itself_and_nothing_moves() -> None:
    trial = Trial()
    before, placed = trial.hosts, trial.toy.slice.hosts
    trial.bad = {"1.8-1"}
    trial.wait(100)
    assert trial.hosts == before
    assert trial.toy.slice.hosts == placed
    assert not trial.out
    said = "pinger 1.8-1 fails on 3 of 3 hosts: the application itself fails, so nothing moves"
    assert trial.toy.fleet.fits(SLICE).doubts == {APP: said}
    waiting = trial.toy.round().waiting
    shown = summary(trial.toy.slice, trial.toy.fleet, now=trial.toy.now, waiting=waiting)
    assert f"{APP}: {said}" in shown["waiting_reasons"]
    trial.bad = set()
    trial.wait(5)
    assert trial.toy.fleet.fits(SLICE) == ALL_FIT


def test_hosts_that_fail_one_after_the_other_are_doubted_too() -> None:
    trial = Trial(instances=4)
    for host in sorted(trial.hosts)[:3]:
        trial.broken.add(host)
        trial.wait(5)
    before = trial.hosts
    trial.wait(60)
    assert trial.hosts == before
    assert trial.toy.fleet.fits(SLICE).doubts


def test_one_instance_is_moved_once_and_then_doubted_until_the_first_host_is_tried_again() -> None:
    trial = Trial(instances=1)
    (first,) = trial.hosts
    trial.bad = {"1.8-1"}
    trial.wait(40)
    (second,) = trial.hosts
    assert second != first
    trial.wait(60)
    assert trial.hosts == {second}
    assert "fails on 2 of 2 hosts" in trial.toy.fleet.fits(SLICE).doubts[APP]
    assert trial.out == {first}


def test_all_that_does_not_run_moves_and_none_of_it_needs_people_to_agree() -> None:
    trial = Trial(count=12, instances=7)
    before = trial.hosts
    trial.broken = set(sorted(before)[:3])
    trial.wait(30)
    assert before - trial.hosts == trial.broken
    assert len(trial.toy.running()) == 7


def test_while_versions_are_mixed_nobody_is_to_blame() -> None:
    trial = Trial()
    slice_ = trial.toy.slice
    mixed = [replace(slice_.placements[0], version="1.9-1"), *slice_.placements[1:]]
    wanted = Wanted({SLICE: replace(slice_, placements=tuple(mixed))})
    for second in range(2_000):
        assert not trial.judge.tick(wanted, trial.toy.fleet, trial.toy.now + second)


def test_what_people_stopped_and_what_is_on_a_node_that_is_not_well_is_no_evidence() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    trial.broken = {bad}
    trial.wait(2)
    stopped = [replace(one, run=Run.STOPPED) for one in trial.toy.slice.placements]
    quiet = Wanted({SLICE: replace(trial.toy.slice, placements=tuple(stopped))})
    assert not trial.judge.tick(quiet, trial.toy.fleet, trial.toy.now + 100)
    unmanaged = Wanted({SLICE: replace(trial.toy.slice, managed=False)})
    assert not trial.judge.tick(unmanaged, trial.toy.fleet, trial.toy.now + 100)
    trial.toy.fleet.judge(bad, NodeState.SUSPECT)
    trial.judge.tick(trial.toy.wanted, trial.toy.fleet, trial.toy.now)
    assert not trial.judge.tick(trial.toy.wanted, trial.toy.fleet, trial.toy.now + 100)


def test_what_does_not_come_to_run_in_time_counts_too() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    node = trial.toy.nodes[bad]
    node.deaf = True
    node.applications[SLICE].pop(APP)
    trial.toy.fleet.fold(node.agent_holdings(SLICE), now=trial.toy.now)
    event = node.status(SLICE, SLIVER_MGR, State.FAILED, reason="no space left")
    trial.toy.fleet.fold(event, now=trial.toy.now)
    start = trial.toy.now
    trial.tick()
    for second in range(0, 1_000, 10):
        trial.toy.now = start + second
        trial.tick()
        assert bool(trial.out) is (second >= Grace().stuck_s)
    assert "within 900 s: no space left" in trial.toy.fleet.fits(SLICE).out[bad]


def test_another_version_or_a_slice_that_is_gone_has_no_past() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    trial.broken = {bad}
    trial.wait(30)
    assert trial.judge.take_rows()[SLICE, bad] is not None
    trial.toy.change(replace(trial.toy.slice, applications={APP: pinger("1.9-1")}))
    trial.tick()
    assert not trial.out
    assert trial.judge.take_rows() == {(SLICE, bad): None}
    trial.wait(60)
    assert trial.hosts - {bad} == trial.hosts
    trial.toy.wanted = Wanted({})
    trial.tick()
    assert trial.toy.fleet.fits(SLICE) == ALL_FIT


def test_a_host_is_forgiven_in_the_end() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    trial.broken = {bad}
    trial.wait(30)
    trial.judge.take_rows()
    trial.toy.now += OUT + Grace().forgives_s + 60
    trial.tick()
    assert trial.judge.take_rows() == {(SLICE, bad): None}


def test_it_outlives_the_planner() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    trial.broken = {bad}
    trial.wait(30)
    rows = trial.judge.take_rows()
    known = rows[SLICE, bad]
    assert known is not None
    assert read_misfit(misfit_value(known)) == known
    after = Misfits()
    after.load(dict(places([(SLICE, bad, misfit_value(known))])))
    news = after.tick(trial.toy.wanted, trial.toy.fleet, trial.toy.now)
    assert set(news[SLICE].out) == {bad}
    assert after.take_rows() == {}


def test_the_plan_says_why() -> None:
    trial = Trial()
    bad = min(trial.hosts)
    trial.broken = {bad}
    trial.wait(30)
    selection = evaluate(PlanName("good"), {}, LIMITED, world_of(trial.toy.slice, trial.toy.fleet))
    text = selection.reason(bad).text
    assert text.startswith(
        "left out: failed for this slice: pinger 1.8-1 does not run here: its port is taken"
    )
    other = next(iter(trial.hosts))
    assert not selection.reason(other).text.startswith("left out")
