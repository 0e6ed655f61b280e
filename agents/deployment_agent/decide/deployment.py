"""One application on one host: from what is ordered and what is so to the next step.

Rules: an order is a level and may be met from any state; each state is published once for each real
change; a new version is on the node and verified before the old one is stopped; a healthy application
is never restarted; what was begun is written in the record first.
"""

from __future__ import annotations

from dataclasses import replace

from agents.deployment_agent.decide.backoff import RESTART, Backoff
from agents.deployment_agent.decide.course import Course
from agents.deployment_agent.decide.damping import Damping
from agents.deployment_agent.decide.folding import fold
from agents.deployment_agent.decide.following import following
from agents.deployment_agent.decide.judgement import Periods
from agents.deployment_agent.decide.record import Goal, Life, Record
from agents.deployment_agent.decide.steps import Checked, Outcome, Report, Step, WaitUntil
from dsmt_core.commands import Order
from dsmt_core.lifecycle import State
from dsmt_core.nodes import Held


class Deployment:
    """The state machine of one application; `step` and `done` take turns.

    Args:
        record: what is known of it.
        now: seconds of a clock that never goes back; all times here are of that clock.
        periods: times.
        backoff: the waits between attempts.
    """

    def __init__(
        self, record: Record, now: float, *, periods: Periods | None = None, backoff: Backoff = RESTART
    ) -> None:
        self._course = Course(record, now, periods or Periods(), backoff)

    @property
    def record(self) -> Record:
        """What is known of it and outlives the agent."""
        return self._course.record

    @property
    def checked(self) -> Checked | None:
        """What the last look at it showed, if it was looked at since the last stop."""
        return self._course.checked

    @property
    def note(self) -> str:
        """Why its packages are not on the node, or what a check said that does not count yet."""
        return self._course.note or self._course.doubt

    @property
    def held(self) -> Held:
        """What the agent says that it holds of it."""
        record, order = self.record, self.record.order
        rests = record.life is Life.DOWN and not record.outdated
        return Held(
            order.generation,
            record.version,
            record.state,
            order.restarts,
            order.digest,
            (order.configuration if rests else record.configuration).digest,
            record.gave_up.text if record.gave_up is not None and record.abandoned else "",
        )

    @property
    def settled(self) -> bool:
        """Whether all is as ordered."""
        record = self.record
        if record.goal is Goal.RUNNING:
            runs = record.life is Life.ENDED or (record.state is State.RUNNING and record.life is Life.UP)
            return runs and not record.outdated and not record.reconfigured
        return record.state is State.TERMINATED and record.life is Life.DOWN and not record.outdated

    def rebooted(self, now: float) -> None:
        """Everything in the sliver has ended since the record was written; wait for the planner's word."""
        if self.record.life is not Life.UNSURE:
            self.record.life = Life.DOWN
        self.record.start_pid = 0
        # What was unpacked just before a power cut may be torn; nothing uses it yet.
        self.record.prepared = None
        self._course.held_until = now + self._course.periods.ask_s

    def confirmed(self) -> None:
        """The planner has spoken of this application; there is nothing to wait for."""
        self._course.held_until = 0.0

    def accept(self, order: Order, now: float) -> None:
        """Follow ``order`` from now on; if it asks for the same as before, only the generation changes."""
        course, before = self._course, self.record.order
        self.record.order = order
        self.confirmed()
        if _asks_same(before, order):
            return
        if before.packages != order.packages:
            course.refused, course.note = (), ""
            # What is ordered now comes first; `following` sees whether it is the version before.
            self.record.returning = False
        course.damping = Damping()
        if order.restarts > before.restarts:
            # People want it tried again, also what was given up.
            self.record.gave_up, course.refused = None, ()
        elif not self.record.abandoned:
            self.record.gave_up = None
        self.record.failures = course.fetch_failures = 0
        course.at_once(now)
        course.report_at = min(course.report_at, now + order.status_period)

    def ended(self, now: float) -> None:
        """A process of the application has ended: look at once."""
        if self.record.life in {Life.UP, Life.STARTING}:
            soonest = self._course.checked_at + self._course.periods.first_poll_s
            self._course.check_at = min(self._course.check_at, max(now, soonest))

    def step(self, now: float) -> Step:
        """The next step; what it is about to do is already in the record."""
        course = self._course
        step: Step = WaitUntil(now)
        if not course.to_say:
            look_first = self.record.life is Life.UP and now >= course.check_at
            if now >= course.report_at and not look_first:
                return Report()
            step = following(course, now)
        if course.to_say:
            return course.publication()
        if not isinstance(step, WaitUntil):
            return step
        return Report() if now >= course.report_at else WaitUntil(min(step.at, course.report_at))

    def done(self, step: Step, outcome: Outcome, now: float) -> None:
        """Take in how ``step`` went.

        Raises:
            Invalid: it published a state that may not follow the one before.
        """
        fold(self._course, step, outcome, now)


def _asks_same(one: Order, other: Order) -> bool:
    same_goal = Record(order=one).goal is Record(order=other).goal
    alike = replace(one, generation=other.generation, verb=other.verb, digest=other.digest)
    return same_goal and alike == other
