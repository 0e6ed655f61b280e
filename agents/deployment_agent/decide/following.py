"""What comes next for one application, given all that is known.

Rule: what a step is about to do stands in the record before the step is given out.
"""

from __future__ import annotations

from agents.deployment_agent.decide import trial
from agents.deployment_agent.decide.course import NEVER, Course
from agents.deployment_agent.decide.record import Goal, Life
from agents.deployment_agent.decide.steps import (
    CheckStatus,
    Clean,
    Fetch,
    Forget,
    Install,
    Look,
    Prepare,
    Start,
    Step,
    Stop,
    Uninstall,
    WaitUntil,
)
from dsmt_core.lifecycle import State

_ENDED = frozenset({State.TERMINATED, State.UNDEFINED})
_RUNNING = frozenset({Life.UP, Life.STARTING})


def following(course: Course, now: float) -> Step:
    """The next step, if nothing is left to be said."""
    if course.record.life is Life.UNSURE:
        wait = now < course.stop_at
        return WaitUntil(course.stop_at) if wait else Look(course.record.order.version)
    match course.record.goal:
        case Goal.GONE:
            return _leave(course, now)
        case Goal.STOPPED:
            return _rest(course, now)
        case Goal.RUNNING:
            return _run(course, now)


def _leave(course: Course, now: float) -> Step:
    record = course.record
    if record.life is not Life.DOWN:
        return _end(course, now)
    if record.touched:
        known = (*record.in_use, *record.leftovers)
        more = tuple(receipt for receipt in known if receipt != record.receipt)
        wait = now < course.retry_at
        return WaitUntil(course.retry_at) if wait else Uninstall(record.receipt, more)
    if record.state not in _ENDED:
        course.to_say.append(State.TERMINATED)
    return Forget()


def _rest(course: Course, now: float) -> Step:
    """Installed, not running; installing changes no state."""
    if course.record.life is not Life.DOWN:
        return _end(course, now)
    if course.record.state is not State.TERMINATED:
        course.to_say.append(State.TERMINATED)
    if not course.renewable(now):
        return _tidy(course, now, WaitUntil(NEVER))
    at = max(course.held_until, course.retry_at if course.has_fetched else course.fetch_at)
    if now < at or course.to_say:
        return WaitUntil(at)
    return _install(course, now) if course.has_fetched else Fetch(course.record.order.packages)


def _run(course: Course, now: float) -> Step:
    idle = course.record.life not in _RUNNING
    if idle and now < course.held_until:
        return WaitUntil(course.held_until)
    record = course.record
    if _goes_back(course, now):
        return _return(course, now)
    if not course.renewable(now):
        again_at = course.again_at if record.outdated and record.abandoned else NEVER
        return _until(again_at, _keep(course, now))
    if course.has_fetched and course.has_prepared:
        return _renew(course, now)
    if now >= course.fetch_at:
        if idle:
            course.walk(State.REQUESTED)
        return _prepare(course) if course.has_fetched else Fetch(record.order.packages)
    # The new version cannot be had yet: what is installed goes on.
    return _until(course.fetch_at, _keep(course, now))


def _until(at: float, step: Step) -> Step:
    """``step``; if it is a wait, then not beyond ``at``."""
    return WaitUntil(min(step.at, at)) if isinstance(step, WaitUntil) else step


def _goes_back(course: Course, now: float) -> bool:
    """Whether what was installed before is to be back: it is wanted again, or all that there is."""
    record = course.record
    if record.before is None:
        return False
    asked = record.outdated and record.before.packages == record.order.packages
    record.returning |= asked or not (record.version or course.renewable(now))
    return record.returning


def _return(course: Course, now: float) -> Step:
    """Have the version before back, from what is on the node."""
    record, before = course.record, course.record.before
    if before is None:
        return WaitUntil(now)
    if record.life is Life.DOWN and now < course.retry_at:
        return WaitUntil(course.retry_at)
    course.walk(State.INSTANTIATED)
    if record.life is not Life.DOWN:
        return _end(course, now)
    if course.to_say:
        return WaitUntil(now)
    if course.missing:
        return Fetch(before.packages)
    record.version, record.packages, record.touched = "", (), True
    return Install(before.packages, before.version, record.receipt, before.receipt)


def _prepare(course: Course) -> Step:
    record, order = course.record, course.record.order
    # What was prepared for another order is of no use.
    trial.leave_over(record, record.prepared)
    record.prepared = None
    keep = (*record.packages, *(record.before.packages if record.before is not None else ()))
    return Prepare(order.packages, order.version, (*record.in_use, *record.leftovers), keep)


def _renew(course: Course, now: float) -> Step:
    if course.record.life is Life.DOWN and now < course.retry_at:
        return WaitUntil(course.retry_at)
    course.walk(State.INSTANTIATED)
    if course.record.life is not Life.DOWN:
        return _end(course, now)
    return _install(course, now) if not course.to_say else WaitUntil(now)


def _keep(course: Course, now: float) -> Step:
    """Have run what is installed."""
    record = course.record
    if not record.version:
        if not record.order.packages:
            course.say_failed("the order names no packages, and nothing is installed")
        return WaitUntil(NEVER)
    if record.life is Life.DOWN:
        return _start(course, now)
    asked = record.order.restarts > record.restarts or record.reconfigured
    if asked and record.life is not Life.DOOMED:
        course.walk(State.REQUESTED)
        record.life, course.reprievable = Life.DOOMED, True
    if record.life is Life.DOOMED:
        if asked or not course.reprievable:
            return _end(course, now)
        record.life, course.reprievable, course.check_at = Life.UP, False, now
    at = NEVER if record.life is Life.ENDED else course.check_at
    if now < at:
        idle = record.life in {Life.UP, Life.ENDED}
        return _tidy(course, now, WaitUntil(at)) if idle else WaitUntil(at)
    return CheckStatus(record.version, record.start_pid, course.watch)


def _tidy(course: Course, now: float, wait: WaitUntil) -> Step:
    """Remove what is left over while there is nothing else to do."""
    record = course.record
    if not record.leftovers:
        return wait
    if now < course.clean_at:
        return _until(course.clean_at, wait)
    return Clean(record.leftovers, record.in_use)


def _start(course: Course, now: float) -> Step:
    if now < course.retry_at:
        return WaitUntil(course.retry_at)
    course.walk(State.INITIALIZED)
    if course.to_say:
        return WaitUntil(now)
    record = course.record
    record.life, record.start_pid, record.restarts = Life.STARTING, 0, record.order.restarts
    if record.reconfigured:
        record.configuration = record.order.configuration
    course.started_at = course.check_at = now
    course.damping.anew()
    return Start(record.version, record.configuration)


def _install(course: Course, now: float) -> Step:
    record, order = course.record, course.record.order
    if record.attempts >= trial.ATTEMPTS:
        trial.cut_short(course, now)
        return WaitUntil(now)
    record.attempts += 1
    trial.set_aside(record)
    prepared = record.prepared
    ready = prepared.receipt if prepared is not None and prepared.packages == order.packages else {}
    record.version, record.packages, record.touched = "", (), True
    taken = tuple(receipt for receipt in (*record.in_use, *record.leftovers) if receipt != ready)
    return Install(order.packages, order.version, record.receipt, ready, taken)


def _end(course: Course, now: float) -> Step:
    if now < course.stop_at:
        return WaitUntil(course.stop_at)
    # What is to be said is said first, and then this is asked again.
    course.reprievable = course.reprievable and bool(course.to_say)
    return Stop(course.record.version)
