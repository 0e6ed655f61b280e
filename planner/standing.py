"""What people want of a node: excluded, cordoned, drained, and windows of maintenance. Pure.

    excluded      it is in no plan, and what runs there leaves
    draining      nothing new is placed there, and what runs there moves away
    maintenance   the same while a window lasts, and from its lead on; silence in it is not judged
    cordoned      nothing new is placed there; what is there stays

Standing is wanted: durable, and the same whatever is seen of the node. Of what holds at a moment the
strongest is the node's *bar*; a node without one is in service. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Host
from planner.moments import written

NEVER: Final = float("inf")


class Kind(StrEnum):
    """Why a node is out of service; the strongest first."""

    EXCLUDED = "excluded"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    CORDONED = "cordoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who wants it, since when, and why."""

    by: str
    since: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(Mark):
    """Out of every plan; ``at_once``: what runs there is stopped whatever the budget says."""

    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain(Mark):
    """What runs there moves away.

    Attributes:
        deadline: until when it should have; infinity for none.
        force: what is left at the deadline is stopped.
    """

    deadline: float = NEVER
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Mark):
    """A time in which people work on the node.

    Attributes:
        begins, ends: the first time.
        every: seconds from one begin to the next; 0: once. A day is 86,400 s: in a zone with summer time
            the hour on the wall moves.
        lead: so many seconds before each begin what runs there begins to move away.
    """

    begins: float
    ends: float
    every: float = 0.0
    lead: float = 0.0

    def turn(self, now: float) -> tuple[float, float]:
        """Begin and end of the time that is on, or else of the next; when all are over, of the last."""
        if not self.every or now < self.ends:
            return self.begins, self.ends
        past = (now - self.ends) // self.every + 1
        return self.begins + past * self.every, self.ends + past * self.every

    def is_over(self, now: float) -> bool:
        """Whether it comes no more."""
        return not self.every and now >= self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that people want of one node beside what they want of slices."""

    excluded: Exclusion | None = None
    cordoned: Mark | None = None
    drain: Drain | None = None
    windows: tuple[Window, ...] = ()

    def __bool__(self) -> bool:
        return any((self.excluded, self.cordoned, self.drain, self.windows))


IN_SERVICE: Final = Standing()

Standings = Mapping[Host, Standing]
NO_STANDINGS: Final[Standings] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Why a node is out of service at a moment.

    Attributes:
        kind: the strongest of what holds.
        mark: by whom, since when, why.
        until: when it should be empty, or when its window ends; infinity for no time.
        late: that time has passed, and it is not a window's.
        forced: what runs there is stopped now, whatever the budget says.
    """

    kind: Kind
    mark: Mark
    until: float = NEVER
    late: bool = False
    forced: bool = False

    @property
    def leaves(self) -> bool:
        """Whether what runs there is to leave; under a cordon it stays."""
        return self.kind is not Kind.CORDONED

    @property
    def sentence(self) -> str:
        """For people: ``cordoned: disk swap (by ann, since 2026-05-01 22:00 UTC)``."""
        reason = f": {self.mark.reason}" if self.mark.reason else ""
        until = f", until {written(self.until)}" if self.kind is Kind.MAINTENANCE else ""
        return f"{self.kind}{reason} (by {self.mark.by}, since {written(self.mark.since)}{until})"


Bars = Mapping[Host, Bar]
NO_BARS: Final[Bars] = MappingProxyType({})


def bar_of(standing: Standing, now: float) -> Bar | None:
    """Why a node is out of service now; None when it is in service."""
    if standing.excluded:
        return Bar(kind=Kind.EXCLUDED, mark=standing.excluded, forced=standing.excluded.at_once)
    drain = standing.drain
    if drain:
        late = now >= drain.deadline
        forced = late and drain.force
        return Bar(kind=Kind.DRAINING, mark=drain, until=drain.deadline, late=late, forced=forced)
    for window in standing.windows:
        begins, ends = window.turn(now)
        if begins - window.lead <= now < ends:
            return Bar(kind=Kind.MAINTENANCE, mark=window, until=ends)
    if standing.cordoned:
        return Bar(kind=Kind.CORDONED, mark=standing.cordoned)
    return None


def bars_at(standings: Standings, now: float) -> Bars:
    """Every node that is out of service now, and why."""
    found = {host: bar_of(standing, now) for host, standing in standings.items()}
    return {host: bar for host, bar in found.items() if bar is not None}


def is_maintained(standing: Standing, now: float) -> bool:
    """Whether a window is open now (its lead not counted): people may have switched the node off."""
    turns = [window.turn(now) for window in standing.windows]
    return any(begins <= now < ends for begins, ends in turns)


def maintained(standings: Standings, now: float) -> frozenset[Host]:
    """The nodes in an open window."""
    return frozenset(host for host, standing in standings.items() if is_maintained(standing, now))


def next_change(standings: Standings, now: float) -> float:
    """When time alone changes a bar next, after ``now``; infinity when it never does."""
    times = [time for standing in standings.values() for time in _times(standing, now) if time > now]
    return min(times, default=NEVER)


def _times(standing: Standing, now: float) -> list[float]:
    times = [standing.drain.deadline] if standing.drain else []
    for window in standing.windows:
        begins, ends = window.turn(now)
        times += [begins - window.lead, ends]
    return times
