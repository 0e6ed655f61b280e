"""All slivers of a node: orders accepted or refused by generation, asking before anything is started."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from agents.container_manager.decide.sliver import Sliver
from agents.container_manager.decide.steps import Keep, Remove, Step
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import DEFAULT_AGENT, Slice

# How long a sliver that is not running waits for the planner's word when the manager starts.
ASK_S: Final = 5.0
# An order lives 30 s in the queue: remembered this long, no older CREATE brings a deleted sliver back.
GONE_S: Final = 120.0
GONE_MOST: Final = 100
# No order of a sliver that was deleted counts again, for as long as this process lives.
PAST_MOST: Final = 4_096


class Verdict(StrEnum):
    """What became of an order."""

    ACCEPTED = "accepted"
    SAME = "same"
    REFUSED = "refused"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One sliver as it was found on disk when the container manager started.

    Attributes:
        wanted: None when the order's file was torn; its generation is then 0.
        made: its directories are complete.
        alive: its init runs, booted in an earlier life of the manager.
    """

    slice: Slice
    generation: int = 0
    wanted: bool | None = None
    agent: str = DEFAULT_AGENT
    digest: str = ""
    limits: Limits = NO_LIMITS
    life: int = 0
    state: State = State.UNDEFINED
    made: bool = False
    alive: bool = False


@dataclass(frozen=True, slots=True)
class _Gone:
    generation: int
    until: float
    told: bool


class _Past(NamedTuple):
    """The greatest life and generation that a deleted sliver had."""

    life: int = -1
    generation: int = -1


class Node:
    """What is wanted of the slivers of one node, and how far each is."""

    def __init__(self) -> None:
        self._slivers: dict[Slice, Sliver] = {}
        self._gone: dict[Slice, _Gone] = {}
        self._past: OrderedDict[Slice, _Past] = OrderedDict()
        self._report_due = False

    @property
    def slivers(self) -> Mapping[Slice, Sliver]:
        """All slivers; to be read only."""
        return self._slivers

    @property
    def asks(self) -> bool:
        """Whether some sliver needs to be told again whether it is wanted."""
        return any(each.wanted is None or each.hold_until for each in self._slivers.values())

    def held(self) -> dict[Slice, int]:
        """Slice → generation, as holdings and the heartbeat's digest tell it.

        A sliver that is being deleted is held until it has ended: nothing may begin elsewhere before.
        """
        return {name: each.generation for name, each in self._slivers.items()}

    def orders(self) -> dict[Slice, str]:
        """Slice → digest of the order that it follows, where the order said one."""
        return {name: each.digest for name, each in self._slivers.items() if each.digest}

    def gone(self, now: float) -> dict[Slice, int]:
        """Slice → generation of the order that deleted it, for a while after it was carried out."""
        self._gone = {name: each for name, each in self._gone.items() if each.until > now}
        return {name: each.generation for name, each in self._gone.items() if name not in self._slivers}

    def restore(self, found: Iterable[Found], now: float) -> None:
        """Begin with what is on disk: what lives is adopted, what does not waits for the planner's word."""
        for each in found:
            torn_and_alive = each.wanted is None and each.alive
            held = each.wanted is not False and not each.alive
            self._slivers[each.slice] = Sliver(
                name=each.slice,
                generation=each.generation,
                wanted=each.wanted,
                agent=each.agent,
                digest=each.digest,
                limits=each.limits,
                life=each.life,
                state=State.RUNNING if torn_and_alive else each.state,
                made=each.made,
                alive=each.alive,
                kept=each.wanted is not None,
                hold_until=now + ASK_S if held else 0.0,
                since=now,
            )

    def uses(self, order: Order) -> bool:
        """Whether a sliver has the agent and the root file system of an order already."""
        known = self._slivers.get(order.slice)
        if known is None or known.agent != (_agent(order) or known.agent):
            return False
        return known.in_force.root == order.limits.root

    def order(self, order: Order, now: float) -> Verdict:
        """Take in an order for a sliver of this node; holdings are owed for each, see `report_due`."""
        if order.verb is Verb.REPORT:
            self._report_due = True
            return Verdict.REPORT
        known = self._slivers.get(order.slice)
        if known is None:
            return self._first(order, now)
        if order.generation < known.generation:
            self._report_due = True
            return Verdict.REFUSED
        if order.generation == known.generation and known.wanted is not None:
            self._repeated(order, known)
            return Verdict.SAME
        known.generation, known.digest = order.generation, order.digest
        known.wanted = order.verb is Verb.CREATE
        if known.wanted:
            known.limits, known.refused = order.limits, ""
            if known.life != order.life:
                # Another slice of the same name: its agent connects as another one.
                known.life, known.configured = order.life, False
        if known.agent != (agent := _agent(order) or known.agent):
            # What runs is left alone: the agent is told, and takes its place.
            known.agent, known.configured = agent, False
        known.kept, known.answers = False, True
        known.hold_until = known.again_at = 0.0
        return Verdict.ACCEPTED

    def confirmed(self, wanted: Mapping[Slice, int]) -> None:
        """What the planner answered when the node joined: slivers in it need not be asked for again."""
        for name, generation in wanted.items():
            known = self._slivers.get(name)
            if known is not None and known.wanted and generation >= known.generation:
                known.hold_until = 0.0

    def banish(self) -> None:
        """The node is excluded: every sliver goes, and an order that is not older brings it back."""
        for each in self._slivers.values():
            if each.wanted is not False:
                each.wanted, each.kept = False, False
                each.generation = max(0, each.generation - 1)

    def take(self, now: float) -> list[Step]:
        """The next step of every sliver that has none under way; each is to be answered by `done`."""
        steps = []
        for sliver in self._slivers.values():
            if sliver.hold_until and sliver.hold_until <= now:
                sliver.hold_until = 0.0
            step = None if sliver.busy else sliver.next(now)
            if step is not None:
                sliver.busy = True
                steps.append(step)
        return steps

    def done(self, step: Step, now: float, *, error: str = "") -> None:
        """Take in how a step went; ``error`` is one plain line, empty when it went well."""
        sliver = self._slivers[step.slice]
        sliver.done(step, now, error)
        if isinstance(step, Keep) and sliver.answers and sliver.kept:
            sliver.answers, self._report_due = False, True
        if isinstance(step, Remove) and not error:
            self._removed(sliver, now)

    def lost(self, name: Slice, now: float) -> None:
        """The init of a sliver has ended by itself."""
        if name in self._slivers:
            self._slivers[name].lost(now)

    def remake(self, name: Slice) -> None:
        """A sliver is to be made otherwise; doing it again changes nothing."""
        if name in self._slivers:
            self._slivers[name].remake = True

    def evict(self, name: Slice, reason: str) -> None:
        """A sliver that runs has taken more than it may; doing it again changes nothing."""
        known = self._slivers.get(name)
        if known is not None and known.alive:
            known.over = reason

    def report_due(self) -> bool:
        """Whether holdings are to be published now; asked once, it is due no longer."""
        due, self._report_due = self._report_due, False
        return due

    def wake_at(self, now: float) -> float:
        """When `take` may have more without any news."""
        return min((each.wake_at(now) for each in self._slivers.values()), default=float("inf"))

    def _first(self, order: Order, now: float) -> Verdict:
        before = self._gone.get(order.slice)
        older = before is not None and before.until > now and before.generation >= order.generation
        if order.verb is Verb.DELETE:
            if not older:
                self._remember_gone(
                    order.slice, order.generation, now, told=before is not None and before.told
                )
            self._report_due = True
            return Verdict.SAME if older else Verdict.ACCEPTED
        past = self._past.get(order.slice, _Past())
        if not older and order.life <= past.life and order.generation <= past.generation:
            # Said again by whoever recorded it; or the planner has forgotten it, and learns it by this.
            self._remember_gone(order.slice, past.generation, now, told=True)
            older = True
        if older:
            self._report_due = True
            return Verdict.REFUSED
        self._slivers[order.slice] = Sliver(
            name=order.slice,
            generation=order.generation,
            wanted=True,
            agent=_agent(order) or DEFAULT_AGENT,
            digest=order.digest,
            limits=order.limits,
            life=order.life,
            # Its end was told already; should it go before it began, that is not told again.
            state=State.TERMINATED if before is not None and before.told else State.UNDEFINED,
            answers=True,
        )
        return Verdict.ACCEPTED

    def _repeated(self, order: Order, known: Sliver) -> None:
        self._report_due = True
        if order.verb is Verb.CREATE and known.wanted:
            known.hold_until = 0.0

    def _removed(self, sliver: Sliver, now: float) -> None:
        if sliver.wanted:
            # Wanted again while it was being taken away: it begins anew, in new directories.
            return
        del self._slivers[sliver.name]
        self._remember_gone(sliver.name, sliver.generation, now, told=True, life=sliver.life)
        self._report_due = True

    def _remember_gone(
        self, name: Slice, generation: int, now: float, *, told: bool, life: int = -1
    ) -> None:
        past = self._past.pop(name, _Past())
        self._past[name] = _Past(max(past.life, life), max(past.generation, generation))
        while len(self._past) > PAST_MOST:
            self._past.popitem(last=False)
        self._gone.pop(name, None)
        self._gone[name] = _Gone(generation, now + GONE_S, told)
        while len(self._gone) > GONE_MOST:
            self._gone.pop(next(iter(self._gone)))


def _agent(order: Order) -> str:
    """The agent as it is kept and compared: its name, or all about the package that it comes in."""
    return order.agent if order.agent_package is None else order.agent_package.text
