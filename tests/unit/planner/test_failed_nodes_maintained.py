"""The tracker and nodes that people work on: silence in a window is noted, and not judged."""

from __future__ import annotations

from planner.failed_nodes import Verdict
from planner.fleet import NodeState
from tests.unit.planner.test_failed_nodes import A, B, C, D, E, Watch
from tests.unit.planner.test_failed_nodes_verdicts import notes, tracker


def test_silence_in_a_window_is_no_failure_and_its_evidence_says_so() -> None:
    watch = Watch(A, B, C, D, E)
    watch.wait(5)
    watch.maintained = frozenset({A})
    watch.beating.discard(A)
    watch.wait(60)
    assert watch.tracker.state(A) is NodeState.SUSPECT, "nothing is known of it"
    told = [note.what for note in watch.tracker.evidence(A) if note.by == "maintenance"]
    assert len(told) == 1
    assert told[0].endswith("in a window; not judged")
    watch.beating.add(A)
    watch.wait(2)
    assert watch.tracker.state(A) is NodeState.ALIVE


def test_after_the_window_a_node_that_stays_silent_is_judged_as_any_other() -> None:
    watch = Watch(A, B, C, D, E)
    watch.wait(5)
    watch.maintained = frozenset({A})
    watch.beating.discard(A)
    watch.wait(60)
    watch.maintained = frozenset()
    watch.wait(2)
    assert watch.tracker.state(A) is NodeState.SUSPECT, "it gets its time to come back"
    watch.wait(3)
    assert watch.tracker.state(A) is NodeState.FAILED


def test_a_window_excuses_nobody_else_and_nothing_before_it() -> None:
    watch = Watch(A, B, C, D, E)
    watch.wait(5)
    watch.beating -= {A, B}
    watch.wait_until(A, NodeState.FAILED, 10)
    watch.maintained = frozenset({A})
    watch.wait(10)
    assert watch.tracker.state(A) is watch.tracker.state(B) is NodeState.FAILED


def test_each_window_is_noted_once_more() -> None:
    watch = Watch(A, B, C, D, E)
    for _ in range(2):
        watch.wait(5)
        watch.maintained = frozenset({A})
        watch.beating.discard(A)
        watch.wait(20)
        watch.beating.add(A)
        watch.maintained = frozenset()
        watch.wait(5)
    assert sum(note.by == "maintenance" for note in watch.tracker.evidence(A)) == 2
    assert watch.tracker.state(A) is NodeState.ALIVE


def test_a_node_that_is_forgotten_in_its_window_is_no_trouble() -> None:
    watch = Watch(A, B)
    watch.maintained = frozenset({A})
    watch.wait(5)
    watch.tracker.forget(A)
    watch.wait(5)
    assert watch.tracker.state(A) is NodeState.UNKNOWN


def test_silence_in_a_window_is_noted_once_and_counts_from_its_end() -> None:
    made = tracker(A, B)
    made.tick(106.0, maintained={A})
    assert [one.host for one in made.tick(107.0, maintained={A})] == [B]
    said = ("not heard for 7.0 s in a window; not judged", 107.0, "maintenance")
    assert notes(made)[-1] == said
    made.tick(150.0, maintained={A})
    assert notes(made)[-1] == said
    assert made.tick(156.0) == []
    assert made.tick(156.25) == [Verdict(A, NodeState.SUSPECT, NodeState.FAILED, "not heard for 56.2 s")]


def test_who_was_heard_after_its_window_is_excused_no_more() -> None:
    made = tracker(A)
    made.tick(101.0, maintained={A})
    made.heard(A, now=101.0)
    made.tick(102.0)
    made.heard(A, now=102.5)
    made.tick(103.0)
    assert [one.state for one in made.tick(108.75)] == [NodeState.FAILED]
    made.forget(A)
    made.tick(109.0, maintained={A})
    assert made.tick(120.0) == []


def test_who_is_heard_within_its_window_and_silent_again_is_noted_no_more() -> None:
    made = tracker(A, B)
    made.tick(107.0, maintained={A})
    made.heard(A, now=108.0)
    made.tick(108.0, maintained={A})
    made.tick(115.0, maintained={A})
    assert [by for _, _, by in notes(made)].count("maintenance") == 1
