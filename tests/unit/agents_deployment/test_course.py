"""What each step that was taken changes of the course of one application."""

from __future__ import annotations

from typing import Any

import pytest

from agents.deployment_agent.decide import (
    Backoff,
    Checked,
    CheckStatus,
    Done,
    Fetch,
    Found,
    Install,
    Installed,
    Life,
    Look,
    Outcome,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
)
from agents.deployment_agent.decide.course import NEVER, Course
from agents.deployment_agent.decide.folding import fold
from dsmt_core.errors import Invalid
from dsmt_core.lifecycle import State
from tests.unit.agents_deployment.courses import (
    GONE,
    HELLO,
    NEWER,
    NOW,
    REST,
    RESTARTED,
    STOPPED,
    UP,
    course,
)
from tests.unit.agents_deployment.test_deployment import ILL, NEW, OLD, WELL


def folded(made: Course, step: Step, outcome: Outcome) -> Course:
    fold(made, step, outcome, NOW)
    return made


def test_what_was_published_is_so() -> None:
    made = course(to_say=[State.REQUESTED, State.FAILED], report_at=500.0)
    folded(made, Publish(State.REQUESTED, "1-1", 1), Done())
    assert (made.record.state, made.to_say, made.report_at) == (State.REQUESTED, [State.FAILED], 500.0)
    running = course(state=State.INITIALIZED, to_say=[State.RUNNING], report_at=500.0)
    assert folded(running, Publish(State.RUNNING, "1-1", 1), Done()).report_at == NOW
    with pytest.raises(Invalid):
        folded(course(to_say=[State.RUNNING]), Publish(State.RUNNING, "1-1", 1), Done())
    assert folded(course(), Report(), Done()).report_at == 105.0


def test_what_was_fetched_is_on_the_node() -> None:
    made = course(fetch_failures=3, note="depot away")
    folded(made, Fetch(OLD), Done())
    assert (made.fetched, made.fetch_failures, made.note, made.has_fetched) == (OLD, 0, "", True)
    other = folded(course(fetch_failures=3), Fetch(NEW), Done())
    assert (other.fetched, other.fetch_failures) == ((), 3)


@pytest.mark.parametrize(
    ("known", "outcome", "waits", "refused", "says"),
    [
        ({}, Troubled("away"), 0.5, (), []),
        ({"fetch_failures": 2}, Troubled("away"), 2.0, (), []),
        ({"fetch_failures": 3}, Troubled("away"), 4.0, (), []),
        ({"fetch_failures": 4}, Troubled("away"), 60.0, (), [State.FAILED]),
        ({}, Troubled("away", final=True), 0.5, OLD, [State.FAILED]),
        ({"version": "0-1"}, Troubled("away", final=True), 0.5, OLD, []),
        ({"state": State.FAILED}, Troubled("away", final=True), 0.5, OLD, []),
    ],
)
def test_what_could_not_be_fetched_is_tried_again_or_refused(
    known: dict[str, Any], outcome: Troubled, waits: float, refused: Any, says: list[State]
) -> None:
    made = folded(course(refused=NEW, report_at=500.0, **known), Fetch(OLD), outcome)
    assert made.fetch_at == NOW + waits
    assert (made.refused, made.note, made.to_say, made.report_at) == (refused, "away", says, NOW)
    assert made.fetch_failures == known.get("fetch_failures", 0) + 1
    # The same reason again is no news; that it is given up is.
    made.report_at = 500.0
    final = outcome.final and "version" in known
    assert folded(made, Fetch(OLD), outcome).report_at == (NOW if final else 500.0)
    assert made.record.abandoned is final
    assert folded(course(STOPPED, **known), Fetch(OLD), outcome).to_say == []


def test_what_was_installed_stands_in_the_record() -> None:
    made = folded(course(), Install(NEW, "2-1"), Installed({"kind": "rpm"}))
    assert (made.record.version, made.record.packages, made.record.receipt) == ("2-1", NEW, {"kind": "rpm"})
    failed = folded(course(fetched=OLD), Install(OLD, "1-1"), Troubled("rpm failed"))
    assert (failed.fetched, failed.refused, failed.record.failures) == ((), (), 1)
    assert (failed.to_say, failed.record.reason) == ([State.FAILED], "rpm failed")
    assert failed.retry_at == failed.fetch_at == failed.check_at == 100.5
    final = folded(course(fetched=OLD), Install(OLD, "1-1"), Troubled("wrong machine", final=True))
    assert (final.fetched, final.refused, final.retry_at) == ((), OLD, NEVER)
    nobody = folded(course(fetched=OLD), Install(OLD, "1-1"), Done())
    assert (nobody.fetched, nobody.record.failures) == ((), 0)


def test_what_was_removed_leaves_nothing() -> None:
    made = course(GONE, **REST, touched=True, receipt={"kind": "rpm"})
    folded(made, Uninstall({}), Done())
    record = made.record
    assert (record.version, record.packages, record.receipt, record.touched) == ("", (), {}, False)
    failed = folded(course(GONE, **REST, touched=True), Uninstall({}), Troubled("no", final=True))
    assert (failed.retry_at, failed.to_say, failed.record.touched) == (100.5, [], True)
    lasting = folded(course(GONE, **REST, touched=True, failures=4), Uninstall({}), Troubled("no"))
    assert (lasting.retry_at, lasting.to_say, lasting.record.reason) == (160.0, [State.FAILED], "no")


def test_what_was_started_is_looked_at_soon() -> None:
    made = folded(course(life=Life.STARTING, poll_s=9.0), Start("1-1"), Started(7))
    assert (made.record.start_pid, made.started_at, made.check_at, made.poll_s) == (7, NOW, NOW, 0.1)
    assert made.record.configuration != HELLO
    found = folded(course(life=Life.STARTING), Start("1-1"), Started(7, HELLO))
    assert found.record.configuration == HELLO
    failed = folded(course(life=Life.STARTING), Start("1-1"), Troubled("no script"))
    assert (failed.record.life, failed.record.failures, failed.retry_at) == (Life.DOWN, 1, 100.5)
    nobody = folded(course(life=Life.STARTING), Start("1-1"), Done())
    assert (nobody.record.life, nobody.record.failures) == (Life.STARTING, 0)


def test_what_was_stopped_is_down() -> None:
    made = folded(course(**UP, start_pid=7, checked=WELL), Stop("1-1"), Done())
    assert (made.record.life, made.record.start_pid, made.checked) == (Life.DOWN, 0, None)
    again = folded(course(**UP, start_pid=7, checked=WELL), Stop("1-1"), Troubled("it lives"))
    assert (again.record.life, again.stop_at, again.checked) == (Life.UP, 101.0, WELL)


@pytest.mark.parametrize(
    ("version", "alive", "life", "packages"),
    [
        ("1-1", True, Life.UP, OLD),
        ("1-1", False, Life.DOWN, OLD),
        ("0-1", True, Life.UP, ()),
        ("", True, Life.DOOMED, ()),
        ("", False, Life.DOWN, ()),
    ],
)
def test_what_was_found_is_adopted(version: str, alive: bool, life: Life, packages: Any) -> None:  # noqa: FBT001
    made = course(RESTARTED, life=Life.UNSURE)
    folded(made, Look("1-1"), Found(version, {"kind": "rpm"}, alive, HELLO))
    record = made.record
    assert (record.life, record.version, record.packages) == (life, version, packages)
    assert (record.receipt, record.touched, record.restarts, record.configuration) == (
        {"kind": "rpm"},
        True,
        1,
        HELLO,
    )
    waits = folded(course(life=Life.UNSURE), Look("1-1"), Troubled("no answer"))
    assert (waits.record.life, waits.stop_at) == (Life.UNSURE, 101.0)


LOOK = CheckStatus("1-1")
NOT_YET = Checked(scripted=True, code=3, alive=True)


def test_a_look_that_nobody_answers_says_nothing() -> None:
    made = folded(course(**UP, checked=WELL), LOOK, Troubled("the init does not answer"))
    assert (made.record.life, made.check_at, made.checked, made.checked_at) == (Life.UP, 101.0, WELL, 50.0)


def test_a_look_at_what_is_well() -> None:
    made = folded(course(**UP, failures=2, up_since=40.5), LOOK, WELL)
    assert (made.checked, made.checked_at, made.check_at) == (WELL, NOW, 105.0)
    assert (made.record.failures, made.up_since, made.to_say) == (2, 40.5, [])
    assert folded(course(**UP, failures=2, up_since=40.0), LOOK, WELL).record.failures == 0
    broken = {**UP, "life": Life.BROKEN, "state": State.FAILED, "reason": "it was ill", "failures": 2}
    made = folded(course(**broken, up_since=40.0), LOOK, WELL)
    assert (made.record.life, made.up_since, made.record.reason, made.record.failures) == (
        Life.UP,
        NOW,
        "",
        2,
    )
    assert made.to_say == [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING]


def test_a_look_at_what_is_ill() -> None:
    made = folded(course(**UP, failures=2, up_since=40.5), LOOK, ILL)
    reason = "the status script ended with exit code 1: broken"
    assert (made.record.life, made.record.failures, made.record.reason) == (Life.BROKEN, 3, reason)
    assert (made.to_say, made.check_at, made.retry_at) == ([State.FAILED], 102.0, 102.0)
    # It was well for a minute: what was before is forgotten.
    assert folded(course(**UP, failures=2, up_since=40.0), LOOK, ILL).record.failures == 1
    broken = folded(course(**{**UP, "life": Life.BROKEN}), LOOK, ILL)
    assert (broken.record.life, broken.record.failures) == (Life.DOOMED, 0)
    twice = folded(course(**{**UP, "state": State.FAILED}, reason="first"), LOOK, ILL)
    assert (twice.to_say, twice.record.reason) == ([], reason)


START: dict[str, Any] = {**UP, "life": Life.STARTING, "state": State.INITIALIZED, "start_pid": 7}


def test_a_look_at_what_is_being_started() -> None:
    made = folded(course(**START, started_at=99.5, poll_s=0.4), LOOK, NOT_YET)
    assert (made.record.life, made.check_at, made.poll_s) == (Life.STARTING, 100.4, 0.8)
    assert folded(course(**START, started_at=99.5, poll_s=3.0), LOOK, NOT_YET).poll_s == 5.0
    made = folded(course(**START, started_at=99.5), LOOK, WELL)
    assert (made.record.life, made.up_since, made.to_say) == (Life.UP, NOW, [State.RUNNING])
    made = folded(course(**START, started_at=70.0), LOOK, NOT_YET)
    assert (made.record.life, made.record.failures, made.to_say) == (Life.BROKEN, 1, [State.FAILED])
    assert made.record.reason == "it has stopped: the status script ended with exit code 3"


@pytest.mark.parametrize(
    ("checked", "pid", "life"),
    [
        (Checked(scripted=True, code=3), 0, Life.DOWN),
        (Checked(scripted=True, code=3), 7, Life.STARTING),
        (Checked(scripted=True, code=3, alive=True), 0, Life.STARTING),
        (Checked(scripted=True, code=0), 0, Life.STARTING),
    ],
)
def test_what_was_written_but_never_started_is_down(checked: Checked, pid: int, life: Life) -> None:
    made = course(**{**START, "start_pid": pid}, started_at=99.5)
    assert folded(made, LOOK, checked).record.life is life


def test_attempts_after_a_lasting_failure_are_quiet_until_one_succeeds() -> None:
    lasting = course(state=State.FAILED, failures=5)
    lasting.walk(State.INITIALIZED)
    assert lasting.to_say == []
    lasting.walk(State.RUNNING)
    assert lasting.to_say == [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING]
    for known in ({"failures": 4}, {"failures": 0, "fetch_failures": 4}):
        loud = course(state=State.FAILED, **known)
        loud.walk(State.REQUESTED)
        assert loud.to_say == [State.REQUESTED]
    quiet = course(state=State.FAILED, fetch_failures=5)
    quiet.walk(State.REQUESTED)
    assert quiet.to_say == []


def test_each_state_is_published_with_the_version_that_it_is_of() -> None:
    for state, version in ((State.RUNNING, "1-1"), (State.TERMINATED, "1-1"), (State.REQUESTED, "2-1")):
        made = course(NEWER, **UP, to_say=[state], reason="before")
        assert made.publication() == Publish(state, version, 1, "")
    nothing = course(NEWER, to_say=[State.TERMINATED])
    assert nothing.publication() == Publish(State.TERMINATED, "2-1", 1, "")


def test_waits_double_up_to_the_most() -> None:
    backoff = Backoff(first_s=1.0, most_s=6.0, patience=5)
    assert [backoff.wait_s(failures) for failures in range(6)] == [1.0, 1.0, 2.0, 4.0, 6.0, 6.0]
    assert [backoff.lasting(failures) for failures in (4, 5)] == [False, True]
