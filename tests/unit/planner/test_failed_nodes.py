"""The tracker: verdicts from heartbeats, and doubt in itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import integers, lists

from dsmt_core.names import Host
from planner.failed_nodes import Chance, FailedNodes, Patience, Probe, Verdict
from planner.fleet import NodeState
from planner.standing import Mark
from tests.unit.planner.toy import hosts

A, B, C, D, E, F = hosts(6)


class Watch:
    """A tracker with a clock of its own and nodes that beat once a second and answer probes.

    Attributes:
        beating: who beats.
        sick: who does not pass a probe.
        mute: who answers none.
        maintained: whom people work on.
        distrusted: whom they say are broken.
    """

    def __init__(self, *beating: Host, draw: float = 0.0, **patience: float) -> None:
        self.now = 1_000.0
        chance = Chance(draw=lambda: draw)
        self.tracker = FailedNodes(Patience(**patience), now=self.now, chance=chance)  # type: ignore[arg-type]
        self.sick: set[Host] = set()
        self.mute: set[Host] = set()
        self.probes: list[Probe] = []
        self.beating = set(beating)
        self.unproven: frozenset[Host] = frozenset()
        self.maintained: frozenset[Host] = frozenset()
        self.distrusted: dict[Host, Mark] = {}
        self.verdicts: list[Verdict] = []
        for host in beating:
            self.tracker.join(host, now=self.now, period=1.0)

    def wait(self, seconds: float, *, step: float = 0.25) -> None:
        for _ in range(round(seconds / step)):
            self.now += step
            if self.now % 1 < step:
                for host in sorted(self.beating):
                    self.tracker.heard(host, now=self.now)
            self.verdicts += self.tick()
            self._answer()
            self.verdicts += self.tick()

    def tick(self) -> list[Verdict]:
        return self.tracker.tick(
            self.now, unproven=self.unproven, maintained=self.maintained, distrusted=self.distrusted
        )

    def _answer(self) -> None:
        for probe in self.tracker.probes(self.now):
            self.probes.append(probe)
            if probe.host in self.beating - self.mute:
                passed = probe.host not in self.sick
                reason = "" if passed else "no space left"
                self.tracker.probed(probe.host, probe.nonce, passed=passed, reason=reason, now=self.now)

    def wait_until(self, host: Host, state: NodeState, within: float) -> float:
        began = self.now
        while self.tracker.state(host) is not state:
            self.wait(0.25)
            assert self.now - began <= within, self.tracker.evidence(host)
        return self.now - began

    def fail(self, host: Host) -> None:
        """The node falls silent, is failed, and comes back."""
        self.beating.discard(host)
        self.wait_until(host, NodeState.FAILED, 10)
        self.beating.add(host)
        self.wait(1)

    def history(self, host: Host) -> list[NodeState]:
        return [verdict.state for verdict in self.verdicts if verdict.host == host]


def test_a_node_that_is_heard_is_alive() -> None:
    watch = Watch(A)
    assert watch.tracker.state(A) is NodeState.UNKNOWN
    watch.wait(60)
    assert watch.history(A) == [NodeState.ALIVE]


def test_silence_makes_suspect_and_then_failed_within_its_bound() -> None:
    watch = Watch(A, B, C)
    watch.wait(10)
    watch.beating.remove(A)
    last = watch.now
    watch.wait(2)
    assert watch.tracker.state(A) is NodeState.SUSPECT
    while watch.tracker.state(A) is not NodeState.FAILED:
        watch.wait(0.25)
    assert watch.now - last <= 3.5
    assert watch.verdicts[-1].reason == "not heard for 3.2 s"
    assert [note.by for note in watch.tracker.evidence(A)][-1] == "tracker"


def test_one_late_heartbeat_is_no_verdict() -> None:
    watch = Watch(A, B, C)
    watch.wait(10)
    watch.beating.remove(A)
    watch.wait(2.25)
    watch.beating.add(A)
    watch.wait(10)
    assert watch.history(A) == [NodeState.ALIVE, NodeState.SUSPECT, NodeState.ALIVE]


def test_a_node_that_comes_back_is_on_probation_until_it_has_proved_itself() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.beating.remove(A)
    watch.wait(5)
    watch.beating.add(A)
    watch.wait(1)
    assert watch.tracker.state(A) is NodeState.PROBATION
    watch.wait(3)
    assert watch.tracker.state(A) is NodeState.ALIVE


def test_a_node_that_holds_what_moved_away_stays_on_probation() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.beating.remove(A)
    watch.wait(5)
    watch.beating.add(A)
    watch.unproven = frozenset({A})
    watch.wait(30)
    assert watch.tracker.state(A) is NodeState.PROBATION
    watch.unproven = frozenset()
    watch.wait(0.25)
    assert watch.tracker.state(A) is NodeState.ALIVE


def test_probation_grows_with_each_failure_up_to_its_bound() -> None:
    watch = Watch(A, B, C, out_s=10.0, most_out_s=30.0)
    watch.wait(5)
    out = []
    for _ in range(5):
        watch.fail(A)
        out.append(round(watch.wait_until(A, NodeState.ALIVE, 60)))
    assert out == [2, 10, 20, 30, 30]
    assert watch.tracker.judgement(A).failures == 5


def test_a_burst_of_heartbeats_proves_nothing() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.beating.remove(A)
    watch.wait(5)
    for _ in range(50):
        watch.tracker.heard(A, now=watch.now)
    watch.wait(1)
    assert watch.tracker.state(A) is NodeState.PROBATION


def test_nothing_is_judged_before_a_full_period_was_listened_to() -> None:
    watch = Watch(A)
    watch.tracker.join(B, now=0.0, period=1.0)
    watch.wait(2.75)
    assert watch.tracker.state(B) is NodeState.UNKNOWN
    watch.wait(1)
    assert watch.tracker.state(B) is NodeState.FAILED


def test_a_longer_time_to_listen_is_kept() -> None:
    watch = Watch(A, B, C, listen_s=10.0)
    watch.wait(1)
    watch.beating.remove(A)
    watch.wait(9)
    assert watch.tracker.state(A) is NodeState.SUSPECT
    watch.wait(3)
    assert watch.tracker.state(A) is NodeState.FAILED


def test_a_deaf_planner_judges_nobody() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.beating.clear()
    for _ in range(100):
        watch.tracker.deafened(watch.now)
        watch.wait(0.25)
    assert watch.tracker.state(A) is not NodeState.FAILED
    watch.beating = {A, B, C}
    watch.wait(5)
    assert {watch.tracker.state(host) for host in (A, B, C)} == {NodeState.ALIVE}


def test_after_the_broker_was_away_nodes_have_time_to_come_back() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.beating.clear()
    watch.tracker.cut_off(watch.now)
    watch.wait(12)
    assert {watch.tracker.state(host) for host in (A, B, C)} <= {NodeState.ALIVE, NodeState.SUSPECT}
    watch.beating = {A, B}
    watch.wait(14)
    assert watch.tracker.state(C) is NodeState.SUSPECT
    watch.wait(2)
    assert [watch.tracker.state(host) for host in (A, B, C)] == [
        NodeState.ALIVE,
        NodeState.ALIVE,
        NodeState.FAILED,
    ]


def test_a_tick_that_was_slept_through_counts_as_deafness() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.now += 30
    assert [verdict.state for verdict in watch.tracker.tick(watch.now)] == []
    watch.wait(5)
    assert watch.history(A) == [NodeState.ALIVE]


def test_when_most_expire_at_once_the_tracker_doubts_itself_first() -> None:
    watch = Watch(A, B, C, D, E, F)
    watch.wait(5)
    watch.beating = {A, B}
    watch.wait(4)
    assert watch.tracker.state(C) is NodeState.SUSPECT
    assert any("listening on" in note.what for note in watch.tracker.evidence(C))
    watch.beating = {A, B, C}
    watch.wait(4)
    assert watch.tracker.state(C) is NodeState.ALIVE
    assert {watch.tracker.state(host) for host in (D, E, F)} == {NodeState.FAILED}


def test_most_that_expire_at_once_and_stay_silent_are_failed_after_one_limit_more() -> None:
    watch = Watch(A, B, C, D, E)
    watch.wait(5)
    watch.beating = {A, B}
    last = watch.now
    watch.wait(4)
    assert {watch.tracker.state(host) for host in (C, D, E)} == {NodeState.SUSPECT}
    while watch.tracker.state(C) is not NodeState.FAILED:
        watch.wait(0.25)
        assert watch.now - last <= 2 * 3.5
    assert {watch.tracker.state(host) for host in (C, D, E)} == {NodeState.FAILED}
    assert {watch.tracker.state(host) for host in (A, B)} == {NodeState.ALIVE}


def test_who_is_heard_again_is_doubted_again() -> None:
    watch = Watch(A, B, C, D)
    for _ in range(3):
        watch.wait(5)
        watch.beating.clear()
        watch.wait(4)
        watch.beating = {A, B, C, D}
    watch.wait(2)
    assert not any(NodeState.FAILED in watch.history(host) for host in (A, B, C, D))


@given(last_beats=lists(integers(0, 40), min_size=1, max_size=12))
def test_whoever_stays_silent_is_failed_in_the_end(last_beats: list[int]) -> None:
    """However many fall silent, and in whatever order: doubt may delay a verdict, never take it away."""
    last = dict(zip(hosts(len(last_beats)), last_beats, strict=True))
    watch = Watch(*last)
    for second in range(max(last_beats) + 1):
        watch.beating = {host for host, beats in last.items() if beats >= second}
        watch.wait(1)
    watch.beating.clear()
    # A listening that somebody's expiry began anew ends within one limit; so does what follows from it.
    watch.wait(4 * 3.25)
    assert {watch.tracker.state(host) for host in last} == {NodeState.FAILED}


def test_most_that_expire_one_after_the_other_are_doubted_too() -> None:
    watch = Watch(A, B, C, D, E, F)
    watch.wait(5)
    for host in (A, B, C, D):
        watch.beating.remove(host)
        watch.wait(0.5)
    watch.wait(2.75)
    failed = [host for host in (A, B, C, D) if watch.tracker.state(host) is NodeState.FAILED]
    assert len(failed) <= 3
    watch.wait(5)
    assert watch.tracker.state(D) is NodeState.FAILED


def test_two_of_five_are_no_reason_for_doubt() -> None:
    watch = Watch(A, B, C, D, E)
    watch.wait(5)
    watch.beating -= {A, B}
    watch.wait(4)
    assert watch.tracker.state(A) is NodeState.FAILED


def test_a_hint_makes_suspect_and_a_heartbeat_clears_it() -> None:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.tracker.hint(A, "connection.closed", now=watch.now)
    watch.wait(0.25)
    assert watch.tracker.state(A) is NodeState.SUSPECT
    watch.wait(1)
    assert watch.tracker.state(A) is NodeState.ALIVE


def test_a_node_that_had_failed_before_a_start_has_to_prove_itself() -> None:
    watch = Watch(B, C)
    watch.tracker.join(A, now=watch.now, period=1.0, failed=True)
    assert watch.tracker.state(A) is NodeState.FAILED
    watch.beating.add(A)
    watch.wait(5)
    assert watch.history(A) == [NodeState.PROBATION, NodeState.ALIVE]


def test_strangers_and_the_forgotten_are_ignored() -> None:
    watch = Watch(A)
    watch.tracker.heard(B, now=watch.now)
    watch.tracker.hint(B, "closed", now=watch.now)
    watch.tracker.forget(A)
    watch.tracker.forget(B)
    watch.wait(10)
    assert watch.verdicts == []
    assert list(watch.tracker.hosts()) == []


def test_evidence_is_bounded() -> None:
    watch = Watch(A, evidence=5)
    for number in range(100):
        watch.tracker.hint(A, f"hint {number}", now=watch.now)
    assert [note.what for note in watch.tracker.evidence(A)] == [
        f"hint {number}" for number in range(95, 100)
    ]
