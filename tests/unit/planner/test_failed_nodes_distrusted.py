"""What people say of a node is a verdict, and holds until they take it back."""

from __future__ import annotations

from dataclasses import replace

from planner.failed_nodes import FailedNodes, Note, Past, Verdict
from planner.fleet import NodeState
from planner.standing import Mark
from tests.unit.planner.test_failed_nodes import A, B, C, E, Watch
from tests.unit.planner.test_failed_nodes_verdicts import back, beat, notes, tracker

WORD = Mark(by="ann", since=1_005.0, reason="it loses packets")


def distrusted() -> Watch:
    watch = Watch(A, B, C)
    watch.wait(5)
    watch.distrusted = {A: WORD}
    watch.wait(1)
    return watch


def test_whom_people_distrust_has_failed_at_once_though_it_beats() -> None:
    watch = distrusted()
    assert "ann distrusts it: it loses packets" in {verdict.reason for verdict in watch.verdicts}
    watch.wait(600)
    assert watch.history(A) == [NodeState.ALIVE, NodeState.FAILED, NodeState.PROBATION]
    assert watch.tracker.judgement(A).failures == 1
    assert watch.probes == []


def test_the_word_is_evidence_with_time_and_source_and_said_once() -> None:
    watch = distrusted()
    watch.wait(10)
    word = Note("distrusted: it loses packets", 1_005.0, "ann")
    assert [note for note in watch.tracker.evidence(A) if note.by == "ann"] == [word]
    watch.distrusted = {A: replace(WORD, by="bob", since=watch.now)}
    watch.wait(1)
    assert watch.tracker.evidence(A)[-1].by == "bob"
    assert watch.tracker.judgement(A).failures == 1


def test_after_a_start_of_the_planner_the_word_holds_and_is_not_said_again() -> None:
    before = distrusted()
    watch = Watch(B, C)
    watch.beating.add(A)
    past = before.tracker.take_past()[A]
    watch.tracker.join(A, now=watch.now, period=1.0, failed=True, past=past)
    watch.distrusted = {A: WORD}
    watch.wait(60)
    assert watch.history(A) == [NodeState.PROBATION]
    assert [note.what for note in watch.tracker.evidence(A) if note.by == "ann"] == [
        "distrusted: it loses packets"
    ]


def test_whom_people_trust_again_proves_itself_as_every_other() -> None:
    watch = distrusted()
    watch.distrusted = {}
    watch.sick.add(A)
    watch.tracker.trusted(A, replace(WORD, since=watch.now, reason="new cable"))
    assert watch.tracker.evidence(A)[-1] == Note("trusted: new cable", watch.now, "ann")
    watch.wait_until(A, NodeState.FAILED, 15)
    watch.sick.clear()
    watch.wait_until(A, NodeState.ALIVE, 60)


def test_trust_forgets_how_often_a_node_failed_and_ends_its_wait() -> None:
    watch = Watch(A, B, C, out_s=1_000.0, most_out_s=1_000.0)
    watch.wait(5)
    watch.fail(A)
    watch.wait_until(A, NodeState.ALIVE, 10)
    watch.fail(A)
    watch.wait(30)
    assert watch.tracker.state(A) is NodeState.PROBATION
    watch.tracker.trusted(A, replace(WORD, since=watch.now))
    watch.wait_until(A, NodeState.ALIVE, 5)
    assert watch.tracker.judgement(A).failures == 0


def test_silence_of_a_distrusted_node_is_judged_as_every_other() -> None:
    watch = distrusted()
    watch.beating.discard(A)
    watch.wait_until(A, NodeState.FAILED, 10)
    watch.beating.add(A)
    watch.wait(60)
    assert watch.tracker.state(A) is NodeState.PROBATION


def test_words_about_strangers_are_nothing() -> None:
    watch = Watch(A)
    watch.distrusted = {B: WORD}
    watch.wait(5)
    watch.tracker.trusted(B, WORD)
    assert watch.tracker.evidence(B) == ()


# -- moment by moment -------------------------------------------------------------------------------------

SAID = Mark(by="ann", since=99.0, reason="it loses packets")


def test_whom_people_distrust_fails_with_their_word() -> None:
    made = tracker(A)
    said = "ann distrusts it: it loses packets"
    assert made.tick(101.0, distrusted={A: SAID}) == [Verdict(A, NodeState.ALIVE, NodeState.FAILED, said)]
    assert notes(made)[-2:] == [
        ("distrusted: it loses packets", 99.0, "ann"),
        (f"failed: {said}", 101.0, "tracker"),
    ]
    assert made.tick(101.5, distrusted={A: SAID}) == []
    assert len(notes(made)) == 3


def test_a_word_is_noted_again_when_it_was_taken_back_between() -> None:
    made = tracker(A)
    made.tick(101.0, distrusted={A: SAID})
    made.tick(101.5)
    made.tick(102.0, distrusted={A: Mark(by="bob", since=102.0, reason="again")})
    assert notes(made)[-1] == ("distrusted: again", 102.0, "bob")


def test_each_of_those_whom_people_distrust_fails_whoever_is_a_stranger() -> None:
    made = tracker(A, B)
    made.tick(101.0, distrusted={E: SAID, A: SAID, B: SAID})
    assert (made.state(A), made.state(B), made.state(E)) == (
        NodeState.FAILED,
        NodeState.FAILED,
        NodeState.UNKNOWN,
    )


def test_whom_people_distrust_ends_no_probation() -> None:
    made = back()
    beat(made, 212.0, 214.0)
    made.tick(214.0, distrusted={A: SAID})
    assert (made.state(A), made.judgement(A).probed) == (NodeState.PROBATION, False)


def test_whom_people_trust_has_no_past_and_need_not_wait() -> None:
    made = FailedNodes(now=100.0)
    made.join(A, now=100.0, period=2.0, failed=True, past=Past(failures=4))
    made.heard(A, now=100.0)
    assert made.judgement(A).out_until == 220.0
    made.trusted(A, Mark(by="ann", since=101.0))
    assert (made.judgement(A).failures, made.judgement(A).out_until) == (0, 101.0)
    assert notes(made)[-1] == ("trusted", 101.0, "ann")
    made.trusted(A, Mark(by="ann", since=500.0, reason="new cable"))
    assert made.judgement(A).out_until == 101.0
    assert notes(made)[-1] == ("trusted: new cable", 500.0, "ann")
