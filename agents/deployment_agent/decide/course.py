"""The course of one application: its record, and what is only known while the agent lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.deployment_agent.decide import judgement
from agents.deployment_agent.decide.backoff import RESTART, Backoff
from agents.deployment_agent.decide.damping import Damping
from agents.deployment_agent.decide.edition import Packages
from agents.deployment_agent.decide.judgement import Periods
from agents.deployment_agent.decide.record import Goal, Life, Record
from agents.deployment_agent.decide.steps import Checked, Publish, Troubled
from dsmt_core.lifecycle import State
from dsmt_core.watch import Restart, Watch

NEVER = float("inf")


@dataclass(slots=True)
class Course:
    """Everything that the next step depends on; times are seconds of the clock that is passed in.

    Attributes:
        record: what outlives the agent.
        began: when this agent took it up.
        periods, backoff: the times of the agent and its waits.
        checked: what the last look at it showed; None when it was not looked at since the last stop.
        damping: what was counted of such looks.
        note: why its packages are not on the node, while that is so.
        doubt: what a check said that does not count, or not yet.
        to_say: states that are so and not published yet.
        fetched, refused: the packages that are on the node, or that no attempt will bring there.
        held_until: nothing is started before, unless the planner says something.
        missing: the packages of the version before may not be on the node, and it is to be back.
        again_at: what was given up is tried again then.
        clean_at: what is left over is removed then.
        tried_since: since when the version that is installed is tried.
        reprievable: it is to be stopped for an order alone, and no stop has begun: if the next order takes
            that back, what is healthy runs on.
    """

    record: Record
    began: float
    periods: Periods = field(default_factory=Periods)
    backoff: Backoff = RESTART
    checked: Checked | None = None
    damping: Damping = field(default_factory=Damping)
    note: str = ""
    doubt: str = ""
    to_say: list[State] = field(default_factory=list)
    fetched: Packages = ()
    refused: Packages = ()
    fetch_failures: int = 0
    held_until: float = 0.0
    fetch_at: float = 0.0
    retry_at: float = 0.0
    stop_at: float = 0.0
    check_at: float = 0.0
    checked_at: float = 0.0
    report_at: float = 0.0
    started_at: float = 0.0
    up_since: float = 0.0
    poll_s: float = 0.0
    reprievable: bool = False
    missing: bool = False
    again_at: float = 0.0
    clean_at: float = 0.0
    tried_since: float = 0.0

    def __post_init__(self) -> None:
        now = self.began
        self.at_once(now)
        self.started_at = self.up_since = self.checked_at = now
        self.poll_s = self.periods.first_poll_s
        self.report_at = now + self.record.order.status_period
        self.tried_since = now
        if self.record.gave_up is not None:
            self.again_at = now + self.periods.second_chance_s(self.record.gave_up.times)

    def renewable(self, now: float) -> bool:
        """Whether what is ordered is not what is installed, and can be."""
        record = self.record
        left_alone = record.abandoned and now < self.again_at
        return record.outdated and self.refused != record.order.packages and not left_alone

    @property
    def has_fetched(self) -> bool:
        """Whether what is ordered is on the node."""
        return self.fetched == self.record.order.packages

    @property
    def watch(self) -> Watch:
        """How it is to be watched."""
        return self.record.order.watch

    @property
    def every_s(self) -> float:
        """Seconds between two looks at it while it runs."""
        return self.watch.every_s or self.record.order.status_period

    @property
    def is_proven(self) -> bool:
        """Whether it has ever passed the check that it is watched by; a status script came with it."""
        return self.watch.check in {"", self.record.proven}

    @property
    def has_prepared(self) -> bool:
        """Whether what is ordered lies beside what is installed, or there is nothing to keep running."""
        prepared = self.record.prepared
        ready = prepared is not None and prepared.packages == self.record.order.packages
        return ready or not self.record.version

    def at_once(self, now: float) -> None:
        """Whatever waits for its time may be tried now."""
        self.fetch_at = self.retry_at = self.stop_at = self.check_at = now

    def failed(self, trouble: Troubled, now: float) -> None:
        """An attempt has failed: say so, and when to try again."""
        record, watch = self.record, self.watch
        self.damping.failed(now, watch)
        if record.life is Life.UP and now - self.up_since >= self.backoff.healthy_s:
            record.failures = 0
        record.failures += 1
        held_until = self.damping.held_until(now, watch)
        final = trouble.final or watch.restart is Restart.NEVER
        self.retry_at = NEVER if final else max(held_until, now + self.backoff.wait_s(record.failures))
        self.fetch_at = self.retry_at
        # What is not to be started again may still get well by itself.
        self.check_at = now + self.every_s if final or held_until else self.retry_at
        if record.life is not Life.DOWN:
            record.life = Life.BROKEN
        if record.goal is Goal.RUNNING or self.backoff.lasting(record.failures):
            self.say_failed(self._in_full(trouble.reason, held=bool(held_until)))

    def _in_full(self, reason: str, *, held: bool) -> str:
        watch = self.watch
        if watch.restart is Restart.NEVER:
            return f"{reason} (it is not restarted: its policy is never)"
        often = f"failed more than {watch.restarts} times within {watch.within_s:g} s"
        return f"{often}, now: {reason}" if held else reason

    def say_failed(self, reason: str) -> None:
        """It has failed; said once, also while further attempts fail."""
        self.record.reason = reason
        if self.record.state is not State.FAILED:
            self.to_say[:] = [State.FAILED]

    def walk(self, upto: State) -> None:
        """Say the states on the way to ``upto``.

        A lasting failure stays published: further attempts are quiet until one succeeds.
        """
        lasting = self.backoff.lasting(max(self.record.failures, self.fetch_failures))
        if upto is State.RUNNING or not (lasting and self.record.state is State.FAILED):
            self.to_say.extend(judgement.walk(self.record.state, upto))

    def publication(self) -> Publish:
        """The first of what is to be said."""
        state, record = self.to_say[0], self.record
        here = record.version if state in {State.RUNNING, State.TERMINATED} else ""
        reason = record.reason if state is State.FAILED else ""
        return Publish(state, here or record.order.version, record.order.generation, reason)
