"""Breaches: a service does otherwise than it said. Each is raised once, and cleared when it has rested.

How often something comes is judged by the sender's own clock, within one life of its instance: a broker
that was away delivers in bursts, and that is nobody's breach.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.channels import Channel
from dsmt_core.events import Event
from dsmt_core.services import Use

# A breach that was not repeated for so long is over.
CALM_S: Final = 300.0
BREACHES: Final = 1_000
PULSES: Final = 50_000
# Timers are late and clocks are read after them: less than this share beside what was said is no breach.
_TOLERANCE: Final = 0.1
_LEEWAY_S: Final = 0.5


class Kind(StrEnum):
    """In which way a description is broken.

    Attributes:
        UNDESCRIBED: a channel, payload or field that it did not name.
        TOO_OFTEN: less than the least time between two events.
        TOO_SELDOM: more than the greatest.
        ILLEGAL: the description itself cannot be read.
    """

    UNDESCRIBED = "undescribed"
    TOO_OFTEN = "too-often"
    TOO_SELDOM = "too-seldom"
    ILLEGAL = "illegal"


Where = tuple[str, Kind, Channel, str]


@dataclass(slots=True)
class Breach:
    """One breach: who, how, where.

    Attributes:
        reason: a plain sentence about the last time.
        instance: which copy of the service it was then.
        since, last: when it was first and last noticed, seconds.
        times: how often.
    """

    service: str
    kind: Kind
    channel: Channel
    field: str
    instance: str = ""
    reason: str = ""
    since: float = 0.0
    last: float = 0.0
    times: int = 0


@dataclass(frozen=True, slots=True)
class BreachChange:
    """A breach was raised, or is over."""

    breach: Breach
    raised: bool


class Breaches:
    """Keeps the present breaches; at most `BREACHES`, what is beyond is only counted.

    Attributes:
        left_out: how many could not be kept.
    """

    def __init__(self) -> None:
        self._breaches: dict[Where, Breach] = {}
        self.left_out = 0

    def raised(self, of: Where, event: Event, reason: str, now: float) -> list[BreachChange]:
        """Note a breach; what it returns is to be said."""
        known = self._breaches.get(of)
        if known is None:
            if len(self._breaches) >= BREACHES:
                self.left_out += 1
                return []
            known = self._breaches[of] = Breach(*of, since=now)
        known.instance, known.reason, known.last = event.instance, reason, now
        known.times += 1
        return [BreachChange(known, raised=True)] if known.times == 1 else []

    def described_anew(self, service: str) -> list[BreachChange]:
        """A service has said anew what it does: it is judged from now on."""
        return self._end([key for key in self._breaches if key[0] == service])

    def tick(self, now: float) -> list[BreachChange]:
        """The breaches that have rested long enough."""
        return self._end([key for key, each in self._breaches.items() if now - each.last > CALM_S])

    def all(self) -> list[Breach]:
        """Every present breach, oldest first."""
        return list(self._breaches.values())

    def _end(self, keys: list[Where]) -> list[BreachChange]:
        return [BreachChange(self._breaches.pop(key), raised=False) for key in keys]


class Pulses:
    """When each thing was last said, by the sender's clock; bounded."""

    def __init__(self, limit: int = PULSES) -> None:
        self._limit = limit
        self._last: OrderedDict[tuple[str, ...], tuple[str, float]] = OrderedDict()

    def odd(self, event: Event, use: Use, about: str) -> tuple[Kind, str] | None:
        """In which way ``event`` comes too soon or too late after the one before it; None when it does not.

        Args:
            event: which has a time of sending.
            use: the use that covers it.
            about: what it is about, where one instance says the same field of several things.
        """
        key = event.channel, event.instance, event.field, about
        boot_id, before = self._last.get(key, ("", 0.0))
        if before and boot_id == event.boot_id and event.sent_at <= before:
            # Delivered a second time, or set back: nothing can be said about the gap.
            return None
        self._last[key] = event.boot_id, event.sent_at
        self._last.move_to_end(key)
        if len(self._last) > self._limit:
            self._last.popitem(last=False)
        if not before or boot_id != event.boot_id:
            return None
        return _odd(event.sent_at - before, use)


def _odd(gap: float, use: Use) -> tuple[Kind, str] | None:
    if use.least_s and gap < use.least_s * (1 - _TOLERANCE):
        return Kind.TOO_OFTEN, f"{gap:.3g} s after the one before; the least is {use.least_s:g} s"
    if use.greatest_s and gap > use.greatest_s * (1 + _TOLERANCE) + _LEEWAY_S:
        return Kind.TOO_SELDOM, f"{gap:.3g} s after the one before; the greatest is {use.greatest_s:g} s"
    return None
