"""Health as heard: how the processes on the nodes are doing, and what of it is not well.

Counters only grow within one life of a process. What grew lately is not well; what grew long ago, or
before the planner listened, is history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from dsmt_core.events import Event
from dsmt_core.health import CONNECTED, LATE_S, Condition, read_health
from dsmt_core.names import Host, Slice

# Three periods or so: a growth is seen by whoever looks in within a quarter of an hour.
RECENT_S: Final = 900.0
# One reconnection is what a restart of the broker brings to everybody.
_LEAST: Final = {"connects": 2}

_GROWS: Final = {
    "connects": "{} reconnections to the broker",
    "dropped": "{} events dropped while the broker was away",
    "refused": "{} deliveries refused",
    "lost": "{} deliveries lost by slow reading",
}


@dataclass(slots=True)
class HealthSeen:
    """One process.

    Attributes:
        condition: as it told last.
        boot_id: which life of it that was.
        heard: when, seconds.
        grown: by how much a counter grew, and when that was heard.
    """

    condition: Condition
    boot_id: str
    heard: float
    grown: dict[str, tuple[int, float]] = field(default_factory=dict)

    def take(self, told: Condition, boot_id: str, now: float) -> None:
        """Take over what it tells."""
        if boot_id != self.boot_id:
            self.grown.clear()
        else:
            self._compare(told, now)
        self.condition, self.boot_id, self.heard = told, boot_id, now

    def unwell(self, now: float) -> list[str]:
        """What is not well, as plain sentences; empty when all is."""
        told = self.condition
        sentences = [] if told.link == CONNECTED else [f"its link to the broker is {told.link}"]
        if told.lag_s > LATE_S:
            sentences.append(f"its event loop was {told.lag_s:.1f} s late")
        for name, (by, at) in self.grown.items():
            if now - at <= RECENT_S and by >= _LEAST.get(name, 1):
                sentences.append(_GROWS[name].format(by))
        return sentences

    def _compare(self, told: Condition, now: float) -> None:
        for name in _GROWS:
            by = getattr(told, name) - getattr(self.condition, name)
            if by > 0:
                before, at = self.grown.get(name, (0, now))
                self.grown[name] = (by + (before if now - at <= RECENT_S else 0), now)


class Healths:
    """The health of each node's container manager (slice empty) and of each sliver's agent."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Slice, Host], HealthSeen] = {}

    def take(self, slice_: Slice, host: Host, event: Event, now: float) -> None:
        """Take over a ``health`` event.

        Raises:
            Invalid: it is not legal, and changed nothing.
        """
        told = read_health(event.pairs)
        known = self._seen.get((slice_, host))
        if known is None:
            self._seen[slice_, host] = HealthSeen(told, event.boot_id, now)
        else:
            known.take(told, event.boot_id, now)

    def drop(self, slice_: Slice, host: Host) -> None:
        """Forget one process."""
        self._seen.pop((slice_, host), None)

    def unwell(self, slice_: Slice, host: Host, now: float) -> list[str]:
        """What is not well with one process; empty when all is, or nothing was heard."""
        known = self._seen.get((slice_, host))
        return [] if known is None else known.unwell(now)

    def shown(self, slice_: Slice, host: Host) -> dict[str, Any] | None:
        """What one process told last, as plain JSON; None when nothing was heard."""
        known = self._seen.get((slice_, host))
        return None if known is None else {**asdict(known.condition), "heard_at": known.heard}
