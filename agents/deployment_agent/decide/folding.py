"""What a step that was taken tells about one application."""

from __future__ import annotations

from agents.deployment_agent.decide import judgement
from agents.deployment_agent.decide.course import Course
from agents.deployment_agent.decide.record import Goal, Life
from agents.deployment_agent.decide.steps import (
    Checked,
    CheckStatus,
    Done,
    Fetch,
    Found,
    Install,
    Installed,
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
from dsmt_core.lifecycle import State, advance
from dsmt_core.watch import Restart


def fold(course: Course, step: Step, outcome: Outcome, now: float) -> None:
    """Take in how ``step`` went.

    Raises:
        Invalid: it published a state that may not follow the one before.
    """
    match step:
        case Publish(state=state):
            _published(course, state, now)
        case Report():
            course.report_at = now + course.record.order.status_period
        case Fetch():
            _fetched(course, step, outcome, now)
        case Install():
            _installed(course, step, outcome, now)
        case Uninstall():
            _uninstalled(course, outcome, now)
        case _:
            _processes(course, step, outcome, now)


def _processes(course: Course, step: Step, outcome: Outcome, now: float) -> None:
    match step:
        case Start():
            _started(course, outcome, now)
        case Stop():
            _stopped(course, outcome, now)
        case CheckStatus():
            _looked(course, outcome, now)
        case Look():
            _found(course, outcome, now)


def _published(course: Course, state: State, now: float) -> None:
    course.to_say.remove(state)
    course.record.state = advance(course.record.state, state)
    if state is State.RUNNING:
        course.report_at = now


def _fetched(course: Course, step: Fetch, outcome: Outcome, now: float) -> None:
    if step.packages != course.record.order.packages:
        return
    if not isinstance(outcome, Troubled):
        course.fetched, course.fetch_failures, course.note = step.packages, 0, ""
        return
    if course.note != outcome.reason:
        course.note, course.report_at = outcome.reason, now
    course.refused = step.packages if outcome.final else ()
    course.fetch_failures += 1
    course.fetch_at = now + course.backoff.wait_s(course.fetch_failures)
    lasting = outcome.final or course.backoff.lasting(course.fetch_failures)
    if lasting and not course.record.version and course.record.goal is Goal.RUNNING:
        course.say_failed(outcome.reason)


def _installed(course: Course, step: Install, outcome: Outcome, now: float) -> None:
    if isinstance(outcome, Installed):
        record = course.record
        record.version, record.packages, record.receipt = step.version, step.packages, outcome.receipt
        return
    course.fetched = ()
    if isinstance(outcome, Troubled):
        course.refused = step.packages if outcome.final else ()
        course.failed(outcome, now)


def _uninstalled(course: Course, outcome: Outcome, now: float) -> None:
    if isinstance(outcome, Troubled):
        # What is to go has to go: no failure of that is final.
        course.failed(Troubled(outcome.reason), now)
        return
    record = course.record
    record.version, record.packages, record.receipt, record.touched = "", (), {}, False


def _started(course: Course, outcome: Outcome, now: float) -> None:
    match outcome:
        case Started(pid=pid, found=found):
            course.record.start_pid = pid
            if found is not None:
                course.record.configuration = found
            course.started_at = course.check_at = now
            course.poll_s = course.periods.first_poll_s
        case Troubled():
            course.record.life = Life.DOWN
            course.failed(outcome, now)


def _stopped(course: Course, outcome: Outcome, now: float) -> None:
    if isinstance(outcome, Done):
        course.record.life, course.record.start_pid, course.checked = Life.DOWN, 0, None
        course.damping.anew()
        course.doubt = ""
    else:
        course.stop_at = now + course.periods.again_s


def _found(course: Course, outcome: Outcome, now: float) -> None:
    if not isinstance(outcome, Found):
        course.stop_at = now + course.periods.again_s
        return
    record = course.record
    record.version, record.receipt, record.touched = outcome.version, outcome.receipt, True
    record.packages = record.order.packages if outcome.version == record.order.version else ()
    record.restarts, record.configuration = record.order.restarts, outcome.configuration
    record.life = Life.DOWN
    if outcome.alive:
        record.life = Life.UP if outcome.version else Life.DOOMED


def _looked(course: Course, outcome: Outcome, now: float) -> None:
    if not isinstance(outcome, Checked):
        # Nobody could be asked: unknown is not false.
        course.check_at = now + course.periods.again_s
        return
    course.checked, course.checked_at = outcome, now
    if course.record.life is Life.STARTING:
        _looked_at_start(course, outcome, now)
    elif judgement.well(outcome):
        _is_well(course, now)
    else:
        _is_ill(course, outcome, now)


def _is_well(course: Course, now: float) -> None:
    """A look at what was started says that it is well; that may not be enough yet."""
    enough = course.damping.well(course.watch)
    held = course.record.life is Life.BROKEN and course.damping.held_until(now, course.watch)
    if course.record.life is Life.UP or (enough and not held):
        _well(course, now)
    else:
        course.check_at = now + course.every_s


def _is_ill(course: Course, checked: Checked, now: float) -> None:
    """A look at what ran says that it is ill; that may not be enough, and nothing may be to be done."""
    record = course.record
    if record.life is Life.BROKEN:
        if now >= course.retry_at and course.watch.restart is not Restart.NEVER:
            record.life = Life.DOOMED
        else:
            course.check_at = min(course.retry_at, now + course.every_s)
        return
    timeout_s = course.watch.timeout_s or course.periods.status_s
    trouble = judgement.trouble(checked, timeout_s)
    if course.watch.restart is Restart.ON_FAILURE and judgement.ended_well(checked):
        _rests(course, trouble)
    elif checked.alive and not course.is_proven:
        # A check with a mistake in it would end every instance that is well.
        _doubt(course, f"it never passed this check, which does not count so long: {trouble}", now)
    elif checked.alive and not course.damping.ill(course.watch):
        counted = f"{course.damping.ills} of {course.watch.failures} failures in a row"
        _doubt(course, f"{counted}: {trouble}", now)
    else:
        course.failed(Troubled(trouble), now)


def _doubt(course: Course, what: str, now: float) -> None:
    course.doubt, course.check_at = what, now + course.every_s


def _rests(course: Course, trouble: str) -> None:
    """It has done what it was to do, and is not started again."""
    course.record.life, course.record.reason, course.doubt = Life.ENDED, trouble, ""
    course.to_say[:] = [State.TERMINATED]


def _looked_at_start(course: Course, checked: Checked, now: float) -> None:
    if not (checked.alive or course.record.start_pid or judgement.well(checked)):
        # The record was written, and then the agent ended before it could call the start script.
        course.record.life = Life.DOWN
        return
    match judgement.starting(checked, now - course.started_at, course.periods):
        case judgement.Verdict.WELL if course.damping.well(course.watch):
            _well(course, now)
        case judgement.Verdict.WELL:
            _look_soon(course, now)
        case judgement.Verdict.NOT_YET:
            course.damping.wells = 0
            _look_soon(course, now)
        case judgement.Verdict.ILL:
            _is_ill_at_start(course, checked, now)


def _is_ill_at_start(course: Course, checked: Checked, now: float) -> None:
    trouble = judgement.trouble(checked, course.watch.timeout_s or course.periods.status_s)
    if course.watch.restart is Restart.ON_FAILURE and judgement.ended_well(checked):
        _rests(course, trouble)
    else:
        course.failed(Troubled(trouble), now)


def _look_soon(course: Course, now: float) -> None:
    course.check_at = now + course.poll_s
    course.poll_s = min(2 * course.poll_s, course.every_s)


def _well(course: Course, now: float) -> None:
    record = course.record
    record.reason, record.proven, course.doubt = "", course.watch.check, ""
    if record.life is not Life.UP:
        course.up_since, record.life = now, Life.UP
    elif now - course.up_since >= course.backoff.healthy_s:
        record.failures = 0
    course.check_at = now + course.every_s
    course.walk(State.RUNNING)
