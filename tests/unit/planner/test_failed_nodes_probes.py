"""Probation ends by a real probe, and whoever comes and goes is kept out longer each time."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, integers, lists, tuples

from dsmt_core.names import Host
from planner.failed_nodes import Chance, FailedNodes, Note, Past, Patience, period_s
from planner.failed_nodes.notes import Notes
from planner.failed_nodes.pace import RATE, differ
from planner.failed_nodes.records import past_value, read_past
from planner.fleet import NodeState
from tests.unit.planner.test_failed_nodes import A, B, C, Watch
from tests.unit.planner.toy import hosts

HOUR = 3600.0


def test_no_probation_ends_without_a_probe() -> None:
    watch = Watch(A, B, C, probe_s=1e9)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(60)
    assert watch.tracker.state(A) is NodeState.PROBATION
    assert watch.tracker.judgement(A).probed
    watch.mute.clear()
    watch.wait_until(A, NodeState.ALIVE, 5)
    assert watch.verdicts[-1].reason.endswith("a probe passed")


def test_a_probe_that_may_be_lost_is_ordered_again_with_the_same_nonce() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(30)
    assert len(watch.probes) > 5
    assert len({probe.nonce for probe in watch.probes}) == 1


def test_a_node_that_does_not_pass_is_failed_again_and_tried_later_each_time() -> None:
    watch = Watch(A, B, C, out_s=10.0, most_out_s=80.0)
    watch.wait(5)
    watch.sick.add(A)
    watch.fail(A)
    watch.wait(200)
    asked = [NodeState.PROBATION, NodeState.FAILED]
    assert watch.history(A)[3:9] == asked * 3
    assert NodeState.ALIVE not in watch.history(A)[1:]
    assert "it did not pass the probe: no space left" in {verdict.reason for verdict in watch.verdicts}
    assert 4 <= len(watch.probes) <= 6
    watch.sick.clear()
    watch.wait_until(A, NodeState.ALIVE, 90)


def test_a_probe_that_nobody_answers_did_not_pass() -> None:
    watch = Watch(A, B, C, probe_s=20.0)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait_until(A, NodeState.FAILED, 30)
    assert watch.verdicts[-1].reason == "it did not answer the probe within 20 s"
    assert ("it did not answer the probe within 20 s", "probe") in {
        (note.what, note.by) for note in watch.tracker.evidence(A)
    }


def test_answers_that_could_not_be_heard_are_waited_for() -> None:
    watch = Watch(A, B, C, probe_s=20.0)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(10)
    for _ in range(40):
        watch.tracker.deafened(watch.now)
        watch.wait(1)
    assert watch.tracker.state(A) is NodeState.PROBATION


def test_an_answer_to_another_question_is_none() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(5)
    told = watch.tracker.probed
    assert not told(A, "guessed", passed=True, reason="", now=watch.now)
    assert not told(A, "", passed=True, reason="", now=watch.now)
    assert not told(B, watch.probes[0].nonce, passed=True, reason="", now=watch.now)
    assert not told(Host("stranger"), "", passed=True, reason="", now=watch.now)
    watch.wait(5)
    assert watch.tracker.state(A) is NodeState.PROBATION


def test_a_node_is_not_probed_while_it_holds_what_moved_away_nor_before_its_time() -> None:
    watch = Watch(A, B, C, out_s=20.0)
    watch.wait(5)
    watch.unproven = frozenset({A})
    watch.fail(A)
    watch.wait(10)
    assert not watch.probes
    watch.unproven = frozenset()
    watch.wait_until(A, NodeState.ALIVE, 2)
    watch.fail(A)
    watch.wait(15)
    assert len(watch.probes) == 1
    watch.wait_until(A, NodeState.ALIVE, 15)


def test_only_so_many_are_probed_at_once() -> None:
    names = hosts(20)
    watch = Watch(*names, probes=3)
    watch.wait(5)
    watch.mute |= set(names)
    for host in names[:5]:
        watch.fail(host)
    watch.wait(10)
    assert len({probe.host for probe in watch.probes}) == 3
    watch.mute.clear()
    for host in names[:5]:
        watch.wait_until(host, NodeState.ALIVE, 30)


def test_a_node_that_falls_silent_during_its_probe_is_failed_and_probed_anew() -> None:
    watch = Watch(A, B, C, out_s=1.0)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(5)
    watch.fail(A)
    watch.mute.clear()
    watch.wait_until(A, NodeState.ALIVE, 10)
    assert len({probe.nonce for probe in watch.probes}) == 2


def test_what_is_forgiven_is_one_failure_for_each_such_time_alive() -> None:
    watch = Watch(A, B, C, out_s=1.0, forgives_s=100.0)
    watch.wait(5)
    for _ in range(4):
        watch.fail(A)
        watch.wait_until(A, NodeState.ALIVE, 30)
    assert watch.tracker.judgement(A).failures == 4
    watch.wait(250)
    watch.fail(A)
    assert watch.tracker.judgement(A).failures == 3


def test_the_past_outlives_the_planner() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.fail(A)
    watch.wait_until(A, NodeState.ALIVE, 10)
    watch.fail(A)
    pasts = watch.tracker.take_past()
    assert set(pasts) == {A, B, C}
    assert watch.tracker.take_past() == {}
    kept = read_past(past_value(pasts[A]))
    assert kept == pasts[A]
    after = FailedNodes(now=watch.now)
    after.join(A, now=watch.now, period=1.0, failed=True, past=kept)
    assert after.judgement(A).failures == 2
    assert after.judgement(A).since == watch.tracker.judgement(A).since
    assert after.evidence(A) == watch.tracker.evidence(A)
    after.heard(A, now=watch.now + 1)
    assert after.judgement(A).out_until == pytest.approx(watch.now + 1 + Patience().out_s)


def test_a_node_that_was_alive_for_long_before_a_start_is_forgiven_all_the_same() -> None:
    now = 100 * HOUR
    tracker = FailedNodes(now=now)
    tracker.join(A, now=now, period=1.0, past=Past(failures=3, alive_since=now - 2.5 * HOUR))
    tracker.heard(A, now=now + 1)
    for tick in range(2, 10):
        tracker.tick(now + tick)
    assert tracker.state(A) is NodeState.FAILED
    assert tracker.judgement(A).failures == 2


def test_a_forgotten_node_has_no_past_and_no_probe() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.mute.add(A)
    watch.fail(A)
    watch.wait(5)
    watch.tracker.take_past()
    watch.tracker.hint(A, "closed", now=watch.now)
    watch.tracker.forget(A)
    watch.beating.discard(A)
    assert A not in watch.tracker.take_past()
    assert watch.tracker.evidence(A) == ()
    asked = len(watch.probes)
    watch.wait(10)
    assert len(watch.probes) == asked
    assert {watch.tracker.state(host) for host in (B, C)} == {NodeState.ALIVE}


def test_the_same_note_again_takes_no_further_place_and_a_long_one_is_cut() -> None:
    notes = Notes(3)
    notes.add("failed", 1.0, "tracker")
    for moment in range(100):
        notes.add("connection closed", float(moment), "broker")
    notes.add("x" * 1000, 200.0, "node")
    assert [*notes][:2] == [Note("failed", 1.0, "tracker"), Note("connection closed", 99.0, "broker", 100)]
    assert len([*notes][2].what) == 300


def test_suspicion_by_a_hint_says_what_the_hint_was() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.tracker.hint(A, "its connection was closed", now=watch.now)
    watch.wait(0.25)
    assert watch.verdicts[-1].reason == "its connection was closed"


@given(
    cycles=lists(tuples(floats(1.0, 300.0), floats(5.0, 300.0)), min_size=4, max_size=6),
    draws=lists(floats(0.0, 1.0), min_size=10, max_size=10),
)
@settings(max_examples=10, deadline=None)
def test_whoever_comes_and_goes_is_kept_out_longer_each_time(
    cycles: list[tuple[float, float]], draws: list[float]
) -> None:
    """Over hours of its comings and goings, however long it is up or down, and whatever luck says."""
    turns = iter(draws)
    patience = Patience(out_s=60.0, most_out_s=900.0, lag_s=20.0)
    tracker = FailedNodes(patience, now=0.0, chance=Chance(draw=lambda: next(turns)))
    tracker.join(A, now=0.0, period=5.0)
    now, outs = 0.0, []

    def live(seconds: float, *, beats: bool) -> None:
        nonlocal now
        for _ in range(max(1, round(seconds / 5))):
            now += 5.0
            if beats:
                tracker.heard(A, now=now)
            tracker.tick(now)
            for probe in tracker.probes(now):
                tracker.probed(A, probe.nonce, passed=True, reason="", now=now)

    for up, down in cycles:
        live(up, beats=True)
        live(max(down, 25.0), beats=False)
        assert tracker.state(A) is NodeState.FAILED
        began = now
        while tracker.state(A) is not NodeState.ALIVE:
            live(5.0, beats=True)
        outs.append(now - began)
    growing = [out for out in outs if out < patience.most_out_s]
    assert all(after >= 1.2 * before for before, after in pairwise(growing))
    assert all(before <= after + 10.0 for before, after in pairwise(outs))
    assert max(outs) <= patience.most_out_s + 20.0


@given(failures=integers(0, 200), draw=floats(0, 1))
def test_a_wait_grows_and_is_bounded(failures: int, draw: float) -> None:
    patience = Patience()
    assert 0 <= patience.out(failures, draw) <= patience.out(failures + 1, 1 - draw)
    assert patience.out(failures, draw) <= patience.most_out_s


@given(configured=floats(0.5, 30), nodes=integers(0, 200_000))
def test_the_load_of_heartbeats_is_bounded_and_periods_change_in_steps(
    configured: float, nodes: int
) -> None:
    period = period_s(configured, nodes)
    assert period >= configured
    assert nodes / period <= RATE * 1.000001
    if period > configured:
        assert nodes / period >= RATE / 1.5 * 0.999999
    assert not differ(period, period)
    assert differ(period, 2 * period)


def test_a_node_more_is_no_reason_for_a_word_to_everybody() -> None:
    periods = [period_s(1.0, nodes) for nodes in range(1, 20_000)]
    assert len(set(periods)) < 12
    assert periods == sorted(periods)


def test_a_tick_over_many_nodes_takes_milliseconds() -> None:
    tracker = FailedNodes(now=0.0)
    names = [Host(f"n{number}.org") for number in range(20_000)]
    for host in names:
        tracker.join(host, now=0.0, period=10.0)
        tracker.heard(host, now=0.5)
    tracker.tick(1.0)
    took = []
    for tick in range(5):
        began = time.perf_counter()
        assert tracker.tick(2.0 + tick / 10) == []
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02, "several times what it takes on a busy machine"
