"""Probation and probes, heartbeat by heartbeat: what ends them, what is said, and what has to wait."""

from __future__ import annotations

import pytest

from dsmt_core.names import Host
from planner.failed_nodes import Chance, FailedNodes, Judgement, Past, Patience, Probe, Verdict
from tests.unit.planner.test_failed_nodes import A, B, C, D, E
from tests.unit.planner.test_failed_nodes_verdicts import (
    ALIVE,
    FAILED,
    PROBATION,
    UNKNOWN,
    back,
    beat,
    failed,
    notes,
    tracker,
)

# -- probation --------------------------------------------------------------------------------------------


def test_who_failed_and_is_heard_is_on_probation_and_says_how_often_it_failed() -> None:
    made = back()
    assert made.tick(210.0) == [Verdict(A, FAILED, PROBATION, "it is heard again")]
    assert made.judgement(A) == Judgement(state=PROBATION, since=210.0, failures=1, out_until=210.0)
    again = FailedNodes(now=100.0, chance=Chance(draw=lambda: 1.0))
    again.join(A, now=100.0, period=2.0, failed=True, past=Past(failures=2))
    again.heard(A, now=101.0)
    assert again.tick(101.0) == [Verdict(A, FAILED, PROBATION, "it is heard again after 2 failures")]
    assert again.judgement(A).out_until == 138.5


def test_three_heartbeats_in_a_row_ask_for_a_probe_and_a_probe_ends_it() -> None:
    made = back()
    made.tick(210.0)
    beat(made, 212.0, 212.0)
    made.tick(212.0)
    assert (made.judgement(A).probed, made.probes(212.0)) == (False, [])
    beat(made, 214.0, 214.0)
    made.tick(214.0)
    assert (made.judgement(A).probed, made.probes(214.0)) == (True, [Probe(A, "1")])
    assert made.probed(A, "1", passed=True, reason="", now=215.0)
    assert notes(made)[-1] == ("passed: a sliver was made and removed on it", 215.0, "probe")
    reason = "3 heartbeats in a row, and a probe passed"
    assert made.tick(215.5) == [Verdict(A, PROBATION, ALIVE, reason)]
    assert made.judgement(A) == Judgement(state=ALIVE, since=215.5, failures=1)
    assert made.take_past()[A].alive_since == 215.5


@pytest.mark.parametrize(
    ("gap", "asks"), [(0.5, False), (1.0, False), (1.25, True), (3.5, True), (3.75, False)]
)
def test_heartbeats_in_a_burst_and_after_a_gap_prove_nothing(gap: float, *, asks: bool) -> None:
    made = back()
    made.heard(A, now=210.0 + gap)
    made.heard(A, now=212.0 + gap)
    made.tick(212.0 + gap)
    assert made.judgement(A).probed is asks


def test_a_gap_begins_the_row_anew() -> None:
    made = back()
    made.heard(A, now=214.0)
    made.heard(A, now=216.0)
    made.tick(216.0)
    assert not made.judgement(A).probed
    made.heard(A, now=218.0)
    made.tick(218.0)
    assert made.judgement(A).probed


def test_no_probation_ends_before_its_time() -> None:
    made = FailedNodes(Patience(lag_s=1e6), now=100.0)
    made.join(A, now=100.0, period=2.0, failed=True, past=Past(failures=2))
    beat(made, 100.0, 128.0, (A,))
    made.tick(129.75)
    assert (made.judgement(A).out_until, made.judgement(A).probed) == (130.0, False)
    beat(made, 130.0, 130.0, (A,))
    made.tick(130.0)
    assert made.judgement(A).probed


@pytest.mark.parametrize("unproven", [{A}, {B}])
def test_who_holds_what_moved_away_is_not_probed(unproven: set[Host]) -> None:
    made = back()
    beat(made, 212.0, 214.0)
    made.tick(214.0, unproven=unproven)
    assert made.judgement(A).probed is (A not in unproven)


def test_who_was_failed_before_a_start_counts_as_failed_once_at_least() -> None:
    made = FailedNodes(now=100.0)
    made.join(A, now=100.0, period=2.0, failed=True)
    made.join(B, now=100.0, period=2.0, failed=True, past=Past(failures=3, judged_at=50.0))
    made.join(C, now=100.0, period=2.0, past=Past(failures=2, judged_at=60.0))
    assert made.judgement(A) == Judgement(state=FAILED, failures=1)
    assert made.judgement(B) == Judgement(state=FAILED, since=50.0, failures=3)
    assert made.judgement(C) == Judgement(state=UNKNOWN, since=60.0, failures=2)


def test_who_joins_again_keeps_its_past_and_is_heard_unless_it_failed() -> None:
    made = tracker(A)
    made.join(A, now=105.0, period=2.0, failed=True, past=Past(failures=9))
    assert made.judgement(A) == Judgement(state=ALIVE, since=100.0)
    assert made.tick(108.0) == []
    gone = failed()
    gone.join(A, now=300.0, period=2.0)
    gone.heard(A, now=301.0)
    gone.tick(301.0)
    assert gone.state(A) is PROBATION


def test_silence_on_probation_fails_and_nothing_of_it_is_forgiven() -> None:
    made = back(forgives_s=1.0)
    made.tick(210.0)
    for host in (B, C):
        made.heard(host, now=217.0)
    assert made.tick(217.0) == [Verdict(A, PROBATION, FAILED, "not heard for 7.0 s")]
    assert made.judgement(A) == Judgement(state=FAILED, since=217.0, failures=2)


def test_a_time_alive_is_forgiven_when_it_fails_again() -> None:
    made = FailedNodes(Patience(forgives_s=10.0, lag_s=1e6), now=100.0)
    for host in (A, B, C):
        made.join(host, now=100.0, period=2.0, past=Past(failures=5))
        made.heard(host, now=100.0)
    beat(made, 102.0, 120.0)
    for host in (B, C):
        made.heard(host, now=127.0)
    assert [one.host for one in made.tick(127.0) if one.state is FAILED] == [A]
    # It was alive for 20 s: two of five are forgiven, and this is one more.
    assert made.judgement(A).failures == 4


# -- probes -----------------------------------------------------------------------------------------------


def probing(**patience: float) -> FailedNodes:
    made = back(**patience)
    beat(made, 212.0, 214.0)
    made.tick(214.0)
    return made


def test_a_probe_that_did_not_pass_is_judged_a_moment_later() -> None:
    made = probing(together_s=1.0)
    assert made.probed(A, "1", passed=False, reason="no disk", now=215.0)
    assert (made.tick(215.75), made.judgement(A).probed) == ([], True)
    assert made.tick(216.0) == [Verdict(A, PROBATION, FAILED, "it did not pass the probe: no disk")]
    assert notes(made)[-2:] == [
        ("it did not pass the probe: no disk", 216.0, "probe"),
        ("failed: it did not pass the probe: no disk", 216.0, "tracker"),
    ]
    assert made.judgement(A) == Judgement(state=FAILED, since=216.0, failures=2)


def test_a_node_that_failed_has_to_pass_a_probe_anew() -> None:
    made = probing()
    made.probed(A, "1", passed=True, reason="", now=215.0)
    for host in (B, C):
        made.heard(host, now=221.0)
    made.tick(221.0)
    assert made.state(A) is FAILED
    beat(made, 300.0, 340.0)
    made.tick(340.0)
    assert (made.state(A), made.probes(340.0)) == (PROBATION, [Probe(A, "2")])


def test_a_probe_is_asked_again_after_a_while_and_given_up_in_the_end() -> None:
    made = probing(probe_s=10.0, together_s=0.0)
    assert made.probes(214.0) == [Probe(A, "1")]
    assert (made.probes(216.75), made.probes(217.0)) == ([], [Probe(A, "1")])
    beat(made, 216.0, 224.0)
    assert made.tick(224.0) == []
    late = "it did not answer the probe within 10 s"
    assert made.tick(224.25) == [Verdict(A, PROBATION, FAILED, late)]


def test_a_node_that_people_work_on_is_not_probed() -> None:
    made = probing()
    made.tick(214.5, maintained={A})
    assert (made.judgement(A).probed, made.probes(214.5)) == (False, [])


def test_a_failure_that_is_doubted_is_noted_and_the_node_is_probed_later() -> None:
    made = tracker(A, B, C, D, E, probe_s=50.0, together_s=1.0)
    those, now = (A, B, C, D), 100.0
    for host in those:
        beat(made, now + 2.0, now + 8.0, {*those, E} - {host})
        assert Verdict(host, ALIVE, FAILED, "not heard for 8.0 s") in made.tick(
            now + 8.0, unproven={*those}
        )
        now += 10.0
        beat(made, now, now, (*those, E))
    beat(made, now + 2.0, now + 4.0, (*those, E))
    made.tick(now + 4.0)
    probes = made.probes(now + 4.0)
    assert {probe.host for probe in probes} == {*those}
    for probe in probes:
        made.probed(probe.host, probe.nonce, passed=False, reason="no disk", now=now + 4.0)
    assert made.tick(now + 5.0) == []
    for host in those:
        out = Judgement(state=PROBATION, since=made.judgement(host).since, failures=1, out_until=now + 55.0)
        assert made.judgement(host) == out
    said = "it did not pass the probe: no disk; most others failed, too: not judged, probed again"
    assert notes(made)[-1] == (said, now + 5.0, "probe")
