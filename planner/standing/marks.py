"""What people want of a node, as values: durable, and the same whatever is seen of the node.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Host
from planner.moments import written

NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who wants it, since when, and why."""

    by: str
    since: float
    reason: str = ""

    def sentence(self, what: str, *, until: str = "") -> str:
        """For people: ``cordoned: disk swap (by ann, since 2026-05-01 22:00 UTC)``."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{what}{reason} (by {self.by}, since {written(self.since)}{until})"


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
    """All that people say of one node beside what they want of slices.

    Attributes:
        distrusted: they say that it is broken, until they say otherwise. That is no wish, and bars it from
            no plan: it is for the failed-node tracker.
    """

    excluded: Exclusion | None = None
    cordoned: Mark | None = None
    drain: Drain | None = None
    windows: tuple[Window, ...] = ()
    distrusted: Mark | None = None

    def __bool__(self) -> bool:
        return any((self.excluded, self.cordoned, self.drain, self.windows, self.distrusted))


IN_SERVICE: Final = Standing()

Standings = Mapping[Host, Standing]
NO_STANDINGS: Final[Standings] = MappingProxyType({})
