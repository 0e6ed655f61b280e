"""Each verdict of the tracker, heartbeat by heartbeat: at which second, from what, and what is said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dsmt_core.names import Host
from planner.failed_nodes import FailedNodes, Judgement, Note, Past, Patience, Verdict
from planner.fleet import NodeState
from planner.standing import Mark
from tests.unit.planner.test_failed_nodes import A, B, C, D, E

UNKNOWN, ALIVE, SUSPECT = NodeState.UNKNOWN, NodeState.ALIVE, NodeState.SUSPECT
FAILED, PROBATION = NodeState.FAILED, NodeState.PROBATION


def tracker(*heard: Host, **patience: float) -> FailedNodes:
    """One that listens from 100 s on; these beat once in 2 s, and did so just now."""
    # Whoever waits 30 s for the next tick has not slept here.
    made = FailedNodes(Patience(**{"lag_s": 1e6, **patience}), now=100.0)  # type: ignore[arg-type]
    for host in heard:
        made.join(host, now=100.0, period=2.0)
        made.heard(host, now=100.0)
    made.tick(100.0)
    return made


def failed(**patience: float) -> FailedNodes:
    """One in which a node has failed at 200 s, and others go on."""
    made = tracker(A, B, C, **patience)
    for host in (B, C):
        made.heard(host, now=200.0)
    made.tick(200.0)
    return made


def back(**patience: float) -> FailedNodes:
    """One in which that node is heard again from 210 s on."""
    made = failed(**patience)
    beat(made, 210.0, 210.0)
    return made


def beat(made: FailedNodes, begins: float, ends: float, who: Iterable[Host] = (A, B, C)) -> None:
    now = begins
    while now <= ends:
        for host in who:
            made.heard(host, now=now)
        now += 2.0


def notes(made: FailedNodes, host: Host = A) -> list[tuple[str, float, str]]:
    return [(note.what, note.when, note.by) for note in made.evidence(host)]


# -- heartbeats -------------------------------------------------------------------------------------------


def test_the_first_heartbeat_makes_alive() -> None:
    made = FailedNodes(now=100.0)
    made.join(A, now=100.0, period=2.0)
    assert (made.tick(100.5), made.judgement(A)) == ([], Judgement())
    made.heard(A, now=101.0)
    assert made.tick(101.5) == [Verdict(A, UNKNOWN, ALIVE, "its heartbeats come")]
    assert made.judgement(A) == Judgement(state=ALIVE, since=101.0)
    assert notes(made) == [("alive: its heartbeats come", 101.0, "tracker")]
    assert made.tick(102.0) == []


@pytest.mark.parametrize(
    ("silence", "verdict"),
    [
        (3.0, []),
        (3.25, [Verdict(A, ALIVE, SUSPECT, "not heard for 3.2 s")]),
        (6.0, [Verdict(A, ALIVE, SUSPECT, "not heard for 6.0 s")]),
        (6.25, [Verdict(A, ALIVE, FAILED, "not heard for 6.2 s")]),
    ],
)
def test_late_is_one_and_a_half_periods_and_silent_is_three(silence: float, verdict: list[Verdict]) -> None:
    assert tracker(A).tick(100.0 + silence) == verdict


def test_a_period_may_change() -> None:
    made = tracker(A)
    made.heard(A, now=100.0, period=4.0)
    assert made.tick(106.0) == []
    made.heard(A, now=106.0)
    assert made.tick(112.0) == []
    made.join(A, now=112.0, period=1.0)
    [late] = made.tick(114.0)
    assert (late.state, late.reason) == (SUSPECT, "not heard for 2.0 s")
    made.heard(A, now=115.0, period=0.5)
    made.tick(115.0)
    assert [one.state for one in made.tick(116.75)] == [FAILED]


def test_a_suspect_that_is_heard_is_alive_and_since_when_it_lives_stays() -> None:
    made = tracker(A)
    made.tick(104.0)
    made.heard(A, now=105.0)
    assert made.tick(105.0) == [Verdict(A, SUSPECT, ALIVE, "its heartbeats come")]
    assert made.take_past()[A] == Past(
        alive_since=100.0,
        judged_at=105.0,
        notes=(
            Note("alive: its heartbeats come", 100.0, "tracker"),
            Note("suspect: not heard for 4.0 s", 104.0, "tracker"),
            Note("alive: its heartbeats come", 105.0, "tracker"),
        ),
    )


def test_a_hint_makes_suspect_with_its_words_and_by_whom() -> None:
    made = tracker(A, B)
    made.hint(A, "its container manager ends", now=100.25, by="node")
    made.hint(A, "connection closed", now=100.5)
    assert made.tick(101.0) == [Verdict(A, ALIVE, SUSPECT, "connection closed")]
    assert notes(made)[1:] == [
        ("its container manager ends", 100.25, "node"),
        ("connection closed", 100.5, "broker"),
        ("suspect: connection closed", 101.0, "tracker"),
    ]
    made.heard(A, now=101.5)
    assert made.tick(102.0) == [Verdict(A, SUSPECT, ALIVE, "its heartbeats come")]


def test_the_least_silence_that_is_judged_may_be_longer_than_three_periods() -> None:
    made = tracker(A, listen_s=10.0)
    assert made.tick(110.0) == [Verdict(A, ALIVE, SUSPECT, "not heard for 10.0 s")]
    assert made.tick(110.25) == [Verdict(A, SUSPECT, FAILED, "not heard for 10.2 s")]


# -- what the tracker could not hear ----------------------------------------------------------------------


def test_silence_counts_from_when_the_tracker_listens() -> None:
    made = FailedNodes(now=100.0)
    made.join(A, now=10.0, period=2.0)
    assert made.tick(102.0) == []
    made.deafened(102.0)
    assert made.tick(104.0) == []
    assert made.tick(106.0) == []
    assert made.tick(108.0) == []
    # What is told is how long it is in truth.
    assert made.tick(108.5) == [Verdict(A, UNKNOWN, FAILED, "not heard for 98.5 s")]


@pytest.mark.parametrize(("lag", "slept"), [(2.0, False), (2.25, True)])
def test_a_tick_that_comes_too_late_was_slept_through(lag: float, *, slept: bool) -> None:
    made = tracker(A, lag_s=2.0)
    made.tick(102.0)
    made.tick(104.0)
    assert made.tick(104.0 + lag) == []
    after = [verdict.state for verdict in made.tick(106.25)]
    assert after == ([] if slept else [FAILED])


def test_after_the_broker_was_away_nobody_is_judged_for_a_while() -> None:
    made = tracker(A, back_s=20.0)
    made.cut_off(110.0)
    assert made.tick(129.75) == [Verdict(A, ALIVE, SUSPECT, "not heard for 19.8 s")]
    assert made.tick(130.0) == [Verdict(A, SUSPECT, FAILED, "not heard for 30.0 s")]


def test_that_while_begins_anew_with_each_node_that_comes_back() -> None:
    made = tracker(A, B, C, back_s=20.0)
    made.cut_off(110.0)
    made.heard(B, now=125.0)
    # Only the first one since: a node that is back already tells nothing of the others.
    for now in range(126, 145):
        made.heard(B, now=float(now))
    made.heard(C, now=144.75)
    assert failures(made.tick(164.5)) == []
    assert failures(made.tick(164.75)) == [A, B, C]


def test_but_it_does_not_last_for_ever() -> None:
    made = tracker(A, B, C, back_s=20.0, most_back_s=30.0)
    made.cut_off(110.0)
    made.heard(B, now=129.0)
    assert failures(made.tick(139.75)) == []
    assert failures(made.tick(140.0)) == [A, B, C]


def test_and_is_never_shortened() -> None:
    made = tracker(A, B, back_s=20.0, most_back_s=5.0)
    made.cut_off(110.0)
    made.heard(B, now=129.0)
    assert failures(made.tick(129.75)) == []
    assert failures(made.tick(130.0)) == [A]


def test_after_it_was_away_nobody_is_judged_before_most_are_back() -> None:
    made = tracker(A, B, C, D, E, back_s=20.0, most_back_s=300.0)
    made.cut_off(110.0)
    made.heard(A, now=112.0)
    made.heard(B, now=112.0)
    for now in range(113, 381):
        for host in (A, B):
            made.heard(host, now=float(now))
    assert failures(made.tick(380.0)) == []
    for host in (A, B, C):
        made.heard(host, now=380.0)
        made.heard(host, now=399.75)
    # The last of them has come; the others have their time from then on.
    assert failures(made.tick(399.75)) == []
    assert failures(made.tick(400.0)) == [D, E]


def test_but_not_for_ever_either() -> None:
    made = tracker(A, B, C, D, E, back_s=20.0, most_back_s=300.0)
    made.cut_off(110.0)
    assert failures(made.tick(409.75)) == []
    # Now the doubt begins that holds when most fall silent, of one limit.
    assert failures(made.tick(410.0)) == []
    assert failures(made.tick(416.25)) == [A, B, C, D, E]


def test_of_a_few_nodes_most_may_have_failed() -> None:
    made = tracker(A, B, C, back_s=20.0, most_back_s=300.0)
    made.cut_off(110.0)
    assert failures(made.tick(130.0)) == [A, B, C]


def failures(verdicts: Iterable[Verdict]) -> list[Host]:
    """Who has failed now."""
    return sorted(one.host for one in verdicts if one.state is FAILED)


def test_within_that_while_no_probation_is_held_up() -> None:
    made = back(back_s=1_000.0)
    made.cut_off(211.0)
    beat(made, 212.0, 216.0)
    made.tick(216.0)
    assert made.judgement(A).probed


# -- verdicts ---------------------------------------------------------------------------------------------


def test_a_verdict_counts_and_is_noted() -> None:
    made = failed()
    assert made.judgement(A) == Judgement(state=FAILED, since=200.0, failures=1)
    assert notes(made)[-1] == ("failed: not heard for 100.0 s", 200.0, "tracker")
    assert made.tick(201.0) == []


def test_a_verdict_comes_also_for_one_that_was_never_heard() -> None:
    made = tracker(B, C)
    made.join(A, now=100.0, period=2.0)
    for host in (B, C):
        made.heard(host, now=107.0)
    assert made.tick(107.0) == [Verdict(A, UNKNOWN, FAILED, "not heard for 7.0 s")]


def test_most_that_expire_together_are_doubted_once() -> None:
    made = tracker(A, B, C, D, E)
    for host in (D, E):
        made.heard(host, now=106.0)
    made.tick(106.0)
    assert made.tick(107.0) == []
    assert notes(made)[-1] == ("expired with most others; listening on", 107.0, "tracker")
    assert notes(made, D)[-1] == ("alive: its heartbeats come", 100.0, "tracker")
    beat(made, 108.0, 112.0, (C, D, E))
    assert [one.host for one in made.tick(113.0)] == [C]
    expected = [Verdict(host, SUSPECT, FAILED, "not heard for 13.5 s") for host in (A, B)]
    assert made.tick(113.5) == expected


def test_whoever_was_doubted_and_is_heard_may_be_doubted_again() -> None:
    made = tracker(A, B, C, D, E)
    made.tick(107.0)
    beat(made, 108.0, 108.0, (A, B, C, D, E))
    made.tick(108.0)
    assert made.tick(115.0) == []
    assert {made.state(host) for host in (A, B, C, D, E)} <= {ALIVE, SUSPECT}


def test_after_deafness_whoever_was_doubted_may_be_doubted_again() -> None:
    made = tracker(A, B, C, D, E)
    made.tick(107.0)
    made.deafened(110.0)
    assert [one for one in made.tick(117.0) if one.state is FAILED] == []
    assert notes(made)[-1] == ("expired with most others; listening on", 117.0, "tracker")


def test_verdicts_of_late_count_for_the_doubt_as_long_as_the_longest_limit_is() -> None:
    made = tracker(A, B, C, D, E)
    made.join(E, now=100.0, period=10.0)
    for host in (C, D):
        made.heard(host, now=104.0)
    assert [one.host for one in made.tick(107.0)] == [A, B]
    # Two of late and two now, of five: doubted.
    made.tick(110.0)
    assert [one for one in made.tick(110.5) if one.state is FAILED] == []


# -- what is known ----------------------------------------------------------------------------------------


def test_of_strangers_nothing_is_known() -> None:
    made = tracker(A)
    made.heard(E, now=101.0)
    made.hint(E, "closed", now=101.0)
    made.trusted(E, Mark(by="ann", since=99.0))
    assert not made.probed(E, "", passed=True, reason="", now=101.0)
    assert (made.state(E), made.judgement(E), made.evidence(E)) == (UNKNOWN, Judgement(), ())
    assert [*made.hosts()] == [A]


def test_what_changed_is_told_once_and_sorted() -> None:
    made = tracker(C, A, B)
    assert [*made.take_past()] == [A, B, C]
    assert made.take_past() == {}
    made.hint(B, "closed", now=101.0)
    made.hint(A, "closed", now=101.0)
    made.forget(A)
    assert [*made.take_past()] == [B]


def test_when_one_is_forgotten_the_others_keep_what_is_theirs() -> None:
    made = FailedNodes(Patience(lag_s=1e6), now=100.0)
    for number, host in enumerate((A, B, C), 1):
        made.join(
            host, now=100.0, period=float(number), past=Past(failures=number, judged_at=float(number))
        )
    made.forget(A)
    assert [*made.hosts()] == [B, C] or {*made.hosts()} == {B, C}
    assert {host: (made.judgement(host).failures, made.judgement(host).since) for host in (B, C)} == {
        B: (2, 2.0),
        C: (3, 3.0),
    }
    made.forget(C)
    made.forget(E)
    made.join(D, now=100.0, period=5.0)
    assert (made.judgement(B).failures, made.judgement(D)) == (2, Judgement())
    made.forget(B)
    made.forget(D)
    assert made.tick(101.0) == []
