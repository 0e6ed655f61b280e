"""One sliver: from what is wanted and what is so, the one next step.

The walk to running is requested → (Create) → instantiated → (Configure) → initialized → (Boot) →
running → (StartAgent). Whatever fails on the way is published as failed with its reason, and the walk
begins again after a back-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agents.container_manager.decide.steps import (
    Boot,
    Configure,
    Create,
    End,
    Evict,
    Keep,
    Limit,
    Publish,
    Remake,
    Remove,
    StartAgent,
    Step,
)
from dsmt_core.lifecycle import State
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import Slice

# A sliver that cannot be made or does not stay is tried again after 0.5 s, 1 s, … at most 60 s; one that
# was well for a minute starts over.
FIRST_S: Final = 0.5
MOST_S: Final = 60.0
HEALTHY_S: Final = 60.0
# What the disk does not take is stored again after: it is a small file, and everything waits for it.
STORE_S: Final = 2.0

_NEXT: Final = {
    State.REQUESTED: State.INSTANTIATED,
    State.INSTANTIATED: State.INITIALIZED,
    State.INITIALIZED: State.RUNNING,
}


@dataclass(slots=True, kw_only=True)
class Sliver:
    """One sliver as the container manager knows it.

    Attributes:
        generation, digest: of the order that it follows.
        wanted: by that order; None when the order was lost.
        agent: its installation agent.
        state: as last published.
        limits, life: by that order.
        kept_limits: those that its processes were last given; None when that is not known.
        made, configured, alive, agent_runs: what is so.
        remake: it is to be made otherwise, as its agent has asked.
        ended: everything in it was ended by order; its files are still there.
        kept: the order and the state are on disk.
        answers: holdings are owed once the order is on disk.
        busy: a step is under way.
        trouble: what has just failed, to be published.
        over: why it is to be ended: it has taken more than it may.
        refused: why its limits are not kept; those of before are.
        failures: in a row.
        hold_until: not booted before, unless the planner has answered.
        again_at: nothing is tried before.
        store_at: nothing is stored before.
        since: when it was last known to become alive.
    """

    name: Slice
    generation: int
    wanted: bool | None
    agent: str
    digest: str = ""
    limits: Limits = NO_LIMITS
    life: int = 0
    kept_limits: Limits | None = None
    state: State = State.UNDEFINED
    made: bool = False
    configured: bool = False
    alive: bool = False
    agent_runs: bool = False
    remake: bool = False
    ended: bool = False
    kept: bool = False
    answers: bool = False
    busy: bool = False
    trouble: str = ""
    over: str = ""
    refused: str = ""
    failures: int = 0
    hold_until: float = 0.0
    again_at: float = 0.0
    store_at: float = 0.0
    since: float = 0.0

    @property
    def in_force(self) -> Limits:
        """The limits that its processes have, or are about to have."""
        return self.kept_limits if self.refused and self.kept_limits is not None else self.limits

    def next(self, now: float) -> Step | None:
        """The next step; None when there is nothing to do, or not yet."""
        if not self.kept:
            return self._current() if now >= self.store_at else None
        if self.wanted is None or now < self.again_at:
            return None
        if self.ended:
            return self._after_end()
        if not self.wanted or self.remake or (self.over and self.alive):
            return self._ending()
        if self.trouble:
            return Publish(self.name, State.FAILED, self.trouble)
        return self._while_alive() if self.alive else self._to_boot(now)

    def wake_at(self, now: float) -> float:
        """When `next` may answer otherwise without any news."""
        due = [time for time in (self.hold_until, self.again_at, self.store_at) if time > now]
        return min(due, default=float("inf"))

    def done(self, step: Step, now: float, error: str) -> None:
        """Take in how a step went; ``error`` is empty when it went well."""
        self.busy = False
        if isinstance(step, Publish):
            self._published(step, now)
        elif error:
            self._failed(step, now, error)
        elif isinstance(step, Keep):
            self.kept = step == self._current()
        else:
            self._did(step, now)

    def lost(self, now: float) -> None:
        """Its init has ended without an order."""
        if not self.alive:
            return
        self.alive = self.agent_runs = False
        self.over = ""
        if now - self.since >= HEALTHY_S:
            self.failures = 0
        if not self.ended:
            self.trouble = "its first process ended unexpectedly"

    def _ending(self) -> Step:
        if not self.wanted:
            return End(self.name)
        return Remake(self.name) if self.remake else Evict(self.name, self.over)

    def _after_end(self) -> Step:
        if self.state is not State.TERMINATED:
            return Publish(self.name, State.TERMINATED)
        return Remove(self.name)

    def _while_alive(self) -> Step | None:
        if not self.made:
            return Create(self.name)
        if not self.configured:
            return Configure(self.name, self.agent, self.life)
        limit = Limit(self.name, self.limits, self.kept_limits) if self.kept_limits != self.limits else None
        if limit is not None and not self.refused:
            # Before the agent, which may start something.
            return limit
        if self.state in _NEXT:
            return Publish(self.name, _NEXT[self.state])
        if self.state is not State.RUNNING:
            return Publish(self.name, State.REQUESTED)
        return limit if self.agent_runs else StartAgent(self.name)

    def _to_boot(self, now: float) -> Step | None:
        if now < self.hold_until:
            return None
        if self.state not in _NEXT:
            return Publish(self.name, State.REQUESTED)
        if not self.made:
            return Create(self.name)
        if not self.configured and self.state is not State.REQUESTED:
            return Configure(self.name, self.agent, self.life)
        if self.state is State.INITIALIZED:
            return Boot(self.name, self.agent, self.limits)
        return Publish(self.name, _NEXT[self.state])

    def _published(self, step: Publish, now: float) -> None:
        self.state = step.state
        self.kept = False
        if step.state is State.FAILED:
            self.trouble = ""
            self._wait(now)

    def _failed(self, step: Step, now: float, error: str) -> None:
        if isinstance(step, Create | Configure | Boot) and not self.alive:
            self.trouble = error
            return
        if isinstance(step, Keep):
            self.store_at = now + STORE_S
            # What is to go makes room on a full disk; an order to delete that is forgotten comes again.
            self.kept = self.wanted is False and step == self._current()
            return
        if isinstance(step, Limit):
            self.refused = error
        # Ending, removing, or a word to a living init: nothing has changed for the container.
        self._wait(now)

    def _did(self, step: Step, now: float) -> None:
        if isinstance(step, Create):
            self.made = True
        elif isinstance(step, Configure):
            self.configured = True
        elif isinstance(step, Boot):
            self.alive, self.since, self.kept_limits = True, now, step.limits
            self.refused = ""
        elif isinstance(step, Limit):
            self.kept_limits, self.refused = step.limits, ""
        elif isinstance(step, StartAgent):
            self.agent_runs = True
        elif isinstance(step, End | Evict | Remake):
            self._ended(step)
        elif isinstance(step, Remove):
            self.ended = self.made = self.configured = self.kept = False
            self.failures = 0

    def _ended(self, step: End | Evict | Remake) -> None:
        self.alive = self.agent_runs = False
        self.trouble = self.over = ""
        if isinstance(step, Evict):
            self.trouble = step.reason
        elif isinstance(step, End):
            self.ended = True
        else:
            self.remake = self.made = self.configured = False
            self.kept_limits = None

    def _wait(self, now: float) -> None:
        self.again_at = now + min(MOST_S, FIRST_S * 2 ** min(self.failures, 20))
        self.failures += 1

    def _current(self) -> Keep:
        return Keep(
            self.name,
            self.generation,
            self.wanted,
            self.agent,
            self.state,
            self.digest,
            self.limits,
            self.life,
        )
