"""The parts of the tracker, each alone: patience, pace, notes, excuses, and what outlives the planner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.names import Application, Host
from planner.failed_nodes.doubt import Doubt, is_mass
from planner.failed_nodes.misfit import Misfit, misfit_value, places, read_misfit
from planner.failed_nodes.notes import Note, Notes, note_value, read_note
from planner.failed_nodes.outcomes import Judged, Outcomes
from planner.failed_nodes.pace import differ, period_s
from planner.failed_nodes.patience import Patience
from planner.failed_nodes.records import Past, past_value, read_past
from planner.release import release_name
from tests.unit.planner.toy import SLICE

A, B, C, D, E = (Host(name) for name in "abcde")


@pytest.mark.parametrize(
    ("failures", "draw", "seconds"),
    [
        (0, 1.0, 0.0),
        (1, 1.0, 0.0),
        (2, 0.0, 30.0),
        (2, 1.0, 37.5),
        (3, 0.0, 60.0),
        (5, 0.0, 240.0),
        (8, 0.0, 1920.0),
        (9, 0.0, 3600.0),
        (10**6, 1.0, 3600.0),
    ],
)
def test_each_failure_doubles_the_wait_up_to_a_bound(failures: int, draw: float, seconds: float) -> None:
    assert Patience().out(failures, draw) == seconds


def test_the_wait_grows_to_any_bound() -> None:
    patience = Patience(out_s=1.0, most_out_s=1e12)
    assert patience.out(33, 0.0) == 2.0**31
    assert patience.out(34, 0.0) == patience.out(50, 0.0) == 2.0**32


@pytest.mark.parametrize(
    ("failures", "alive_s", "left"),
    [
        (3, 0.0, 3),
        (3, 3599.0, 3),
        (3, 3600.0, 2),
        (3, 7300.0, 1),
        (3, 1e9, 0),
        (3, -5000.0, 3),
        (0, 9e9, 0),
    ],
)
def test_a_time_alive_forgives_one_failure(failures: int, alive_s: float, left: int) -> None:
    assert Patience().left(failures, alive_s) == left


@pytest.mark.parametrize(
    ("configured", "nodes", "period"),
    [
        (1.0, 500, 1.0),
        (1.0, 501, 1.5),
        (1.0, 750, 1.5),
        (1.0, 751, 2.25),
        (4.0, 2000, 4.0),
        (4.0, 2001, 6.0),
    ],
)
def test_periods_grow_in_steps_with_the_fleet(configured: float, nodes: int, period: float) -> None:
    assert period_s(configured, nodes) == period
    assert period_s(configured, nodes // 10, 50.0) == period_s(configured, nodes // 10 * 10)


@given(st.floats(0.1, 100), st.integers(0, 10**6))
def test_never_more_heartbeats_come_than_a_planner_takes(configured: float, nodes: int) -> None:
    assert nodes / period_s(configured, nodes) <= 500.001


def test_a_period_that_is_about_the_same_is_not_told_again() -> None:
    assert not differ(1.0, 1.0)
    assert not differ(10.1, 10.0)
    assert differ(10.2, 10.0)
    assert differ(9.8, 10.0)


def test_the_same_note_again_counts_and_takes_no_place() -> None:
    notes = Notes(2, [Note("first", 1.0, "node")])
    notes.add("lost", 2.0, "broker")
    notes.add("lost", 3.0, "broker")
    assert [*notes] == [Note("first", 1.0, "node"), Note("lost", 3.0, "broker", 2)]
    notes.add("lost", 4.0, "node")
    assert [*notes] == [Note("lost", 3.0, "broker", 2), Note("lost", 4.0, "node")]


def test_what_others_say_is_cut() -> None:
    notes = Notes(2)
    notes.add("x" * 301, 1.0, "node")
    notes.add("x" * 302, 2.0, "node")
    assert [*notes] == [Note("x" * 300, 2.0, "node", 2)]


def test_a_note_is_read_as_it_was_written_by_older_planners_too() -> None:
    note = Note("lost", 3.0, "broker", 2)
    assert note_value(note) == {"what": "lost", "when": 3.0, "by": "broker", "times": 2}
    assert read_note(note_value(note)) == note
    assert read_note({"what": "lost", "when": 3, "by": "broker"}) == Note("lost", 3.0, "broker", 1)


def test_a_past_is_read_as_it_was_written() -> None:
    past = Past(failures=2, alive_since=5.0, judged_at=7.0, notes=(Note("lost", 3.0, "broker"),))
    assert past_value(past) == {
        "failures": 2,
        "alive_since": 5.0,
        "judged_at": 7.0,
        "notes": [{"what": "lost", "when": 3.0, "by": "broker", "times": 1}],
    }
    assert read_past(past_value(past)) == past


MISFIT = Misfit(
    application=Application("pinger"),
    release=release_name("1.8-1"),
    reason="no space left",
    since=60.0,
    until=120.0,
)


def test_a_misfit_is_told_in_a_sentence() -> None:
    assert MISFIT.sentence == (
        "pinger 1.8-1 does not run here: no space left; tried again from 1970-01-01 00:02 UTC on"
    )
    again = Misfit(**{**misfit_value_of(MISFIT), "failures": 2})  # type: ignore[arg-type]
    assert again.sentence == (
        "pinger 1.8-1 does not run here, for the 2. time: no space left; "
        "tried again from 1970-01-01 00:02 UTC on"
    )


def misfit_value_of(one: Misfit) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_a_misfit_is_read_as_it_was_written() -> None:
    assert misfit_value(MISFIT) == {
        "application": "pinger",
        "version": "1.8-1",
        "reason": "no space left",
        "since": 60.0,
        "until": 120.0,
        "failures": 1,
    }
    assert read_misfit(misfit_value(MISFIT)) == MISFIT
    assert read_misfit({**misfit_value(MISFIT), "failures": 3}).failures == 3
    assert [*places([("xyz1", "a", misfit_value(MISFIT))])] == [((SLICE, A), MISFIT)]


@pytest.mark.parametrize(
    ("failing", "of", "mass"), [(3, 3, False), (2, 4, False), (3, 4, True), (3, 6, False), (4, 7, True)]
)
def test_a_mass_is_more_than_half_of_four_or_more(failing: int, of: int, mass: bool) -> None:  # noqa: FBT001
    assert is_mass(failing, of=of) is mass


def test_verdicts_of_late_add_to_the_doubt() -> None:
    doubt = Doubt()
    assert not doubt.is_due(2, unfailed=4, window=3.0, now=10.0)
    doubt.given(10.0)
    doubt.given(12.0)
    # Two of late and two now, of seven.
    assert doubt.is_due(2, unfailed=5, window=3.0, now=13.0)
    # The first one is older than the window.
    assert not doubt.is_due(2, unfailed=5, window=3.0, now=13.5)
    assert doubt.is_due(3, unfailed=5, window=3.0, now=15.0)
    assert not doubt.is_due(3, unfailed=6, window=3.0, now=16.0)


def outcomes(**reasons: str) -> Outcomes:
    """At 0 s these probes ended, each for a reason, or well."""
    made = Outcomes(moment=5.0, window=60.0)
    for name, reason in reasons.items():
        made.ended(Host(name), reason, 0.0)
    return made


def test_a_failure_is_judged_once_a_moment_later() -> None:
    made = outcomes(b="no space left", a="late", c="", d="", e="")
    assert made.is_unjudged(A)
    assert not made.is_unjudged(C)
    assert made.judge(4.9) == Judged(believed={}, doubted={})
    assert made.judge(5.0) == Judged(believed={A: "late", B: "no space left"}, doubted={})
    assert made.judge(6.0) == Judged(believed={}, doubted={})
    assert not made.is_unjudged(A)


def test_where_most_failed_none_is_believed_though_one_is_judged_already() -> None:
    made = outcomes(a="late", b="late", c="late", d="")
    made.withdraw(B)
    assert made.judge(5.0) == Judged(believed={}, doubted={A: "late", C: "late"})


def test_what_was_dropped_did_not_happen() -> None:
    made = outcomes(a="late", b="late", c="late", d="")
    made.drop(C)
    assert made.judge(5.0).believed == {A: "late", B: "late"}
    made = outcomes(a="late")
    made.clear()
    assert made.judge(5.0) == Judged(believed={}, doubted={})
    assert not made.is_unjudged(A)


def test_outcomes_are_compared_within_the_window_only_and_the_last_of_a_node_counts() -> None:
    made = outcomes(a="late", b="late", c="late", d="late", e="late")
    made.judge(5.0)
    made.ended(A, "late", 60.5)
    # Of the others nothing is known any more: one of one is no mass.
    assert made.judge(65.5) == Judged(believed={A: "late"}, doubted={})
    again = outcomes(a="late", b="late", c="late", d="")
    again.ended(A, "", 0.0)
    assert again.judge(60.0) == Judged(believed={B: "late", C: "late"}, doubted={})
