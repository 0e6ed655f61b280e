"""All applications of one agent: which orders it follows, and what is due.

An order older than the one known of its application is refused, also after the application is gone: a
late copy of an old order must not bring it back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from agents.deployment_agent.decide import record as records
from agents.deployment_agent.decide.backoff import RESTART, Backoff
from agents.deployment_agent.decide.deployment import Deployment
from agents.deployment_agent.decide.judgement import Periods
from agents.deployment_agent.decide.record import Goal, Life, Record
from agents.deployment_agent.decide.steps import Forget, Outcome, Step, WaitUntil
from dsmt_core.commands import NO_APPLICATION, Order, Verb
from dsmt_core.errors import Full, Invalid
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, application
from dsmt_core.nodes import Held

# What an agent holds goes into one event, which may have 1,024 pairs; of each application at most four.
APPLICATIONS: Final = 200
REMEMBERED: Final = 1_024
# What stands for the order that took an application away; equal to no digest of an order.
GONE: Final = "gone"


class Verdict(StrEnum):
    """What became of an order."""

    ACCEPTED = "accepted"
    SAME = "same"
    REFUSED = "refused"
    REPORT = "report"


class Deployments:
    """The applications of one agent.

    Args:
        periods, backoff: as for `Deployment`.
    """

    def __init__(self, *, periods: Periods | None = None, backoff: Backoff = RESTART) -> None:
        self._periods = periods
        self._backoff = backoff
        self._all: dict[Application, Deployment] = {}
        self._busy: set[Application] = set()
        self._past: OrderedDict[Application, int] = OrderedDict()
        self._wake_at = float("inf")
        self._unsure = False

    def __getitem__(self, name: Application) -> Deployment:
        return self._all[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def __iter__(self) -> Iterator[Application]:
        return iter(self._all)

    def accept(self, order: Order, now: float) -> Verdict:
        """Take an order for an application, or refuse it.

        Raises:
            Full: there are as many applications as an agent takes.
        """
        if order.application == NO_APPLICATION:
            return Verdict.REPORT
        known = self.generation(order.application)
        if order.generation < known:
            return Verdict.REFUSED
        deployment = self._all.get(order.application)
        if order.generation == known:
            return self._repeated(deployment, order)
        self._follow(deployment, order, now)
        return Verdict.ACCEPTED

    def generation(self, name: Application) -> int:
        """The generation known of an application, also of one that is gone; -1 when there is none."""
        if name in self._all:
            return self._all[name].record.order.generation
        return self._past.get(name, -1)

    def due(self, now: float) -> list[tuple[Application, Step]]:
        """The steps to be taken now, at most one for each application; each is to be told to `done`."""
        steps: list[tuple[Application, Step]] = []
        self._wake_at = float("inf")
        for name, deployment in self._all.items():
            if name in self._busy:
                continue
            step = deployment.step(now)
            if isinstance(step, WaitUntil):
                self._wake_at = min(self._wake_at, step.at)
            else:
                self._busy.add(name)
                steps.append((name, step))
        return steps

    @property
    def wake_at(self) -> float:
        """When `due` is worth asking again after its last call, if nothing happens before."""
        return self._wake_at

    def done(self, name: Application, step: Step, outcome: Outcome, now: float) -> None:
        """Fold how a step of `due` went."""
        self._busy.discard(name)
        deployment = self._all[name]
        deployment.done(step, outcome, now)
        if isinstance(step, Forget) and deployment.record.goal is Goal.GONE:
            del self._all[name]
            self._remember(name, deployment.record.order.generation)

    def ended(self, name: Application, now: float) -> None:
        """A process of the application has ended."""
        if name in self._all:
            self._all[name].ended(now)

    @property
    def settled(self) -> bool:
        """Whether there are applications, and all are as ordered."""
        return bool(self._all) and all(deployment.settled for deployment in self._all.values())

    def holdings(self, refused: Application = NO_APPLICATION) -> dict[Application, Held]:
        """What the agent holds; ``refused`` is named with its generation even when it is gone."""
        held = {name: deployment.held for name, deployment in self._all.items()}
        if refused in self._past:
            held[refused] = Held(self._past[refused], "", State.TERMINATED, digest=GONE)
        return held

    def written(self) -> dict[str, Any]:
        """Everything as plain values, for a state file."""
        return {
            "applications": [records.written(deployment.record) for deployment in self._all.values()],
            "past": dict(self._past),
        }

    def load(self, values: Mapping[str, Any], now: float, *, rebooted: bool) -> None:
        """Take back what `written` gave.

        Args:
            values: as written.
            now: of the clock of this process.
            rebooted: everything in the sliver has ended since.

        Raises:
            Invalid: it cannot be read; nothing of it is taken then.
        """
        try:
            past = {application(name): int(number) for name, number in values.get("past", {}).items()}
            read = [records.read(each) for each in values.get("applications", [])]
        except (AttributeError, TypeError, ValueError) as error:
            raise Invalid(f"the agent's records cannot be read: {error!r}") from error
        for name, generation in past.items():
            self._remember(name, generation)
        for record in read:
            deployment = self._new(record, now)
            if rebooted:
                deployment.rebooted(now)

    def lost(self) -> None:
        """What was known could not be read: whatever is ordered now is looked at before it is touched."""
        self._unsure = True

    def _repeated(self, deployment: Deployment | None, order: Order) -> Verdict:
        """An order with the very generation of the one that is followed, or of the one that ended it."""
        if deployment is not None:
            deployment.confirmed()
            return Verdict.SAME
        # A number that was given away twice: the planner hears that the application is gone by it.
        return Verdict.SAME if order.verb is Verb.UNINSTALL else Verdict.REFUSED

    def _follow(self, deployment: Deployment | None, order: Order, now: float) -> None:
        if deployment is not None:
            deployment.accept(order, now)
            return
        if len(self._all) >= APPLICATIONS:
            raise Full(f"the agent has {APPLICATIONS} applications already; {order.application} is refused")
        life = Life.UNSURE if self._unsure else Life.DOWN
        self._new(Record(order=order, life=life), now)
        self._past.pop(order.application, None)

    def _new(self, record: Record, now: float) -> Deployment:
        made = Deployment(record, now, periods=self._periods, backoff=self._backoff)
        self._all[record.order.application] = made
        return made

    def _remember(self, name: Application, generation: int) -> None:
        self._past[name] = generation
        self._past.move_to_end(name)
        if len(self._past) > REMEMBERED:
            self._past.popitem(last=False)
