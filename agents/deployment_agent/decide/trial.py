"""A new version on trial: the one before is kept until it has proved well, and is back if it does not.

Rules: what never proved well is nothing to go back to; a release that was given up is tried again after a
long while only, or when people say something new; what goes back needs nothing from elsewhere.
"""

from __future__ import annotations

from typing import Final

from agents.deployment_agent.decide.course import Course
from agents.deployment_agent.decide.damping import Damping
from agents.deployment_agent.decide.edition import Edition, GaveUp, Packages
from agents.deployment_agent.decide.record import Goal, Record
from agents.deployment_agent.decide.steps import Install, Installed, Troubled

ATTEMPTS: Final = 3
"""So many failures in a row end a trial, if time has not ended it before."""
_LEFTOVERS: Final = 16


def set_aside(record: Record) -> None:
    """What is installed is about to be replaced: keep it if it proved well, else it is left over."""
    if not record.version:
        return
    if record.mature:
        record.before = Edition(
            version=record.version,
            packages=record.packages,
            receipt=record.receipt,
            configuration=record.configuration,
        )
    else:
        leave_over(record, Edition(version="", packages=(), receipt=record.receipt))
    record.mature = False


def leave_over(record: Record, edition: Edition | None) -> None:
    """What is not needed any more is to be removed when there is time."""
    if edition is not None and edition.receipt:
        record.leftovers = (*record.leftovers, edition.receipt)[-_LEFTOVERS:]


def is_return(record: Record, step: Install) -> bool:
    """Whether an installation brings back what was before."""
    return record.before is not None and record.before.packages == step.packages


def switched(course: Course, step: Install, outcome: Installed, now: float) -> None:
    """Another version is installed: the new one on trial, or the one before."""
    record = course.record
    before = record.before
    if before is not None and is_return(record, step):
        leave_over(record, Edition(version="", packages=(), receipt=step.before))
        record.configuration, record.before, record.returning = before.configuration, None, False
        record.mature, record.failures = True, 0
        course.at_once(now)
    elif record.prepared is not None and record.prepared.packages == step.packages:
        record.prepared = None
    record.version, record.packages, record.receipt = step.version, step.packages, outcome.receipt
    course.tried_since = now


def failed(course: Course, trouble: Troubled, packages: Packages, now: float) -> None:
    """What is on trial has failed again: is it enough?

    Args:
        course: of the application.
        trouble: what failed.
        packages: of what is on trial.
        now: the time.
    """
    record = course.record
    if record.before is None or record.mature or record.returning or record.goal is not Goal.RUNNING:
        return
    grace_s = course.periods.grace_s
    late, hopeless = now - course.tried_since >= grace_s, course.retry_at - now >= grace_s
    if not (late or hopeless or record.failures >= ATTEMPTS):
        return
    if packages == record.order.packages:
        give_up(course, trouble.reason, now)
        course.say_failed(
            f"gave up {record.order.version}: {trouble.reason}; {record.before.version} comes back"
        )
    record.returning, record.failures, course.refused, course.damping = True, 0, (), Damping()
    course.at_once(now)


def cut_short(course: Course, now: float) -> None:
    """Installation after installation ended with the agent itself: no further one is begun in this life."""
    trouble = Troubled(f"its installation was cut short {ATTEMPTS} times", final=True)
    course.record.attempts, course.refused = 0, course.record.order.packages
    course.failed(trouble, now)
    failed(course, trouble, course.record.order.packages, now)


def give_up(course: Course, reason: str, now: float) -> None:
    """What is ordered is not tried again for long; that is told at once."""
    record, order = course.record, course.record.order
    before = record.gave_up
    times = before.times + 1 if before is not None and before.is_of(order) else 1
    record.gave_up = GaveUp(
        packages=order.packages,
        configuration=order.configuration.digest,
        version=order.version,
        reason=reason,
        times=times,
    )
    course.again_at = now + course.periods.second_chance_s(times)
    course.report_at = now


def proved(record: Record) -> None:
    """What is installed has proved well: what was before it goes."""
    leave_over(record, record.before)
    record.mature, record.before, record.returning = True, None, False
    if record.gave_up is not None and record.gave_up.is_of(record.order) and not record.outdated:
        record.gave_up = None
