"""Bars: of what people want of a node, the strongest that holds at a moment.

A node without one is in service. Time alone changes bars: windows come and go, deadlines pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Host
from planner.moments import written
from planner.standing.marks import NEVER, Mark, Standing, Standings


class Kind(StrEnum):
    """Why a node is out of service; the strongest first."""

    EXCLUDED = "excluded"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    CORDONED = "cordoned"


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
        """For people, as `Mark.sentence`."""
        until = f", until {written(self.until)}" if self.kind is Kind.MAINTENANCE else ""
        return self.mark.sentence(self.kind, until=until)


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


def distrusted(standings: Standings) -> dict[Host, Mark]:
    """The nodes that people say are broken, with who says so, since when, and why."""
    return {host: one.distrusted for host, one in standings.items() if one.distrusted}


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
