"""What a step that was taken tells about one application."""

from __future__ import annotations

from agents.deployment_agent.decide import judgement, trial
from agents.deployment_agent.decide.course import Course
from agents.deployment_agent.decide.edition import Edition, Packages
from agents.deployment_agent.decide.record import Goal, Life
from agents.deployment_agent.decide.steps import (
    Checked,
    CheckStatus,
    Clean,
    Done,
    Fetch,
    Found,
    Install,
    Installed,
    Look,
    Outcome,
    Prepare,
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
        case Prepare():
            _prepared(course, step, outcome, now)
        case Install():
            _installed(course, step, outcome, now)
        case Clean():
            _cleaned(course, step, outcome, now)
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
            _looked(course, step, outcome, now)
        case Look():
            _found(course, outcome, now)


def _published(course: Course, state: State, now: float) -> None:
    course.to_say.remove(state)
    course.record.state = advance(course.record.state, state)
    if state is State.RUNNING:
        course.report_at = now


def _fetched(course: Course, step: Fetch, outcome: Outcome, now: float) -> None:
    before = course.record.before
    if before is not None and step.packages == before.packages:
        # Whether or not they could be had: they are used as they are.
        course.missing = False
    if step.packages != course.record.order.packages:
        return
    if not isinstance(outcome, Troubled):
        course.fetched, course.fetch_failures, course.note = step.packages, 0, ""
        return
    _not_had(course, step, outcome, now)


def _not_had(course: Course, step: Fetch | Prepare, outcome: Troubled, now: float) -> None:
    """What is ordered is not on the node, or cannot be unpacked there: what is installed goes on."""
    if course.note != outcome.reason:
        course.note, course.report_at = outcome.reason, now
    course.refused = step.packages if outcome.final else ()
    course.fetch_failures += 1
    course.fetch_at = now + course.backoff.wait_s(course.fetch_failures)
    lasting = outcome.final or course.backoff.lasting(course.fetch_failures)
    if lasting and not course.record.version and course.record.goal is Goal.RUNNING:
        course.say_failed(outcome.reason)
    if outcome.final and course.record.version:
        trial.give_up(course, outcome.reason, now)


def _prepared(course: Course, step: Prepare, outcome: Outcome, now: float) -> None:
    if not isinstance(outcome, Troubled):
        receipt = outcome.receipt if isinstance(outcome, Installed) else {}
        course.record.prepared = Edition(version=step.version, packages=step.packages, receipt=receipt)
        return
    course.fetched = ()
    if step.packages == course.record.order.packages:
        _not_had(course, step, outcome, now)


def _cleaned(course: Course, step: Clean, outcome: Outcome, now: float) -> None:
    if isinstance(outcome, Troubled):
        course.clean_at = now + course.backoff.most_s
        return
    record = course.record
    record.leftovers = tuple(each for each in record.leftovers if each not in step.receipts)


def _installed(course: Course, step: Install, outcome: Outcome, now: float) -> None:
    course.record.attempts = 0
    if isinstance(outcome, Installed):
        trial.switched(course, step, outcome, now)
        return
    course.fetched, course.record.prepared = (), None
    if not isinstance(outcome, Troubled):
        return
    if trial.is_return(course.record, step):
        # What ran before has to be back: no failure of that is final.
        course.missing = True
        course.failed(Troubled(outcome.reason), now)
        return
    course.refused = step.packages if outcome.final else ()
    _failed(course, outcome, now, step.packages)


def _failed(course: Course, trouble: Troubled, now: float, packages: Packages) -> None:
    """An attempt has failed; on trial it may be the last."""
    course.failed(trouble, now)
    trial.failed(course, trouble, packages, now)


def _uninstalled(course: Course, outcome: Outcome, now: float) -> None:
    if isinstance(outcome, Troubled):
        # What is to go has to go: no failure of that is final.
        course.failed(Troubled(outcome.reason), now)
        return
    record = course.record
    record.version, record.packages, record.receipt, record.touched = "", (), {}, False
    record.before, record.prepared, record.leftovers, record.gave_up = None, None, (), None
    record.mature = record.returning = False


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
            _failed(course, outcome, now, course.record.packages)


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


def _looked(course: Course, step: CheckStatus, outcome: Outcome, now: float) -> None:
    if not isinstance(outcome, Checked):
        # Nobody could be asked: unknown is not false.
        course.check_at = now + course.periods.again_s
        return
    if step.watch.check != course.watch.check:
        # Another check was ordered meanwhile: what passed this one has not passed that one.
        course.check_at = now
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
        _failed(course, Troubled(trouble), now, record.packages)


def _doubt(course: Course, what: str, now: float) -> None:
    course.doubt, course.check_at = what, now + course.every_s


def _rests(course: Course, trouble: str) -> None:
    """It has done what it was to do, and is not started again."""
    course.record.life, course.record.reason, course.doubt = Life.ENDED, trouble, ""
    trial.proved(course.record)
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
        _failed(course, Troubled(trouble), now, course.record.packages)


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
    proves_at = course.up_since + course.periods.proof_s
    if now >= proves_at:
        trial.proved(record)
    elif record.before is not None:
        course.check_at = min(course.check_at, proves_at)
    course.walk(State.RUNNING)
