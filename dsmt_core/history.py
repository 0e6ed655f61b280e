"""What of all that is said is kept, and from where a replay of it begins.

Kept are state changes, commands, requests and whatever applications say; not what the parts of DSMT only
repeat (heartbeats, figures, holdings): it is said again within its period, and would be nearly all of it.
Nor are calls kept, for whom somebody waits (`dsmt_core.calls`); who ran what is said by itself.
"""

from __future__ import annotations

import re
from calendar import monthrange, timegm
from dataclasses import dataclass
from typing import Final

from dsmt_core.channels import Channel, lies_under
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.rights import ASKED

PARTS: Final = Channel("/org/dsmt/ns/")
REPEATED: Final = frozenset({"holdings", "facts", "heartbeat", "health", "call", "answer"})
FIRST: Final = "first"

# A number below is an offset, from here on it is a time: 2001-09-09 as seconds since the epoch.
_EPOCH_FROM: Final = 10**9
_DIGITS: Final = re.compile(r"[0-9]{1,15}\Z")
_NUMBER: Final = re.compile(r"[0-9]{10,12}\.[0-9]{1,9}\Z")
_BACK: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])\Z")
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_ISO: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)


def kept(event: Event) -> bool:
    """Whether ``event`` belongs into the history."""
    if not lies_under(event.channel, PARTS):
        return True
    return not event.emit_rate and event.field not in REPEATED and event.channel != ASKED


@dataclass(frozen=True, slots=True)
class Since:
    """From where a replay begins; without offset and time, from the first that is kept.

    Attributes:
        offset: the place in the history; the first event ever kept had 0.
        time: seconds since the epoch, by the clocks of the senders; with an offset, from the first behind
            that offset that was not sent before.
    """

    offset: int | None = None
    time: float | None = None


class Beginning:
    """Skips what lies before the beginning of a replay.

    A broker finds a time only as coarsely as it stores (RabbitMQ: a chunk), so what was sent before it is
    skipped here, up to the first that was not: what comes behind that was kept later, whatever the clocks
    of the senders say.

    Args:
        since: the beginning.
    """

    def __init__(self, since: Since) -> None:
        self._offset = since.offset or 0
        self._time = since.time

    def reached(self, event: Event, offset: int) -> bool:
        """Whether ``event``, the next in the history, belongs to the replay."""
        if offset < self._offset:
            return False
        if self._time is not None:
            if event.sent_at < self._time:
                return False
            self._time = None
        return True


def since(text: str, *, now: float) -> Since:
    """Read a beginning: ``first``, an offset, a time, or how long back.

    Args:
        text: ``first``; an offset (a whole number below 10^9); seconds since the epoch; ISO 8601 such as
            ``2026-03-01T12:00:00Z`` (UTC where it names no zone); or a span back: ``30s``, ``10m``, ``2h``,
            ``1d``.
        now: seconds since the epoch.

    Raises:
        Invalid: it is none of these.
    """
    if text == FIRST:
        return Since()
    if _DIGITS.match(text):
        number = int(text)
        return Since(offset=number) if number < _EPOCH_FROM else Since(time=float(number))
    if _NUMBER.match(text):
        return Since(time=float(text))
    if back := _BACK.match(text):
        return Since(time=max(0.0, now - float(back[1]) * _UNITS[back[2]]))
    moment = _moment(text)
    if moment is None:
        raise Invalid(
            f"{text[:60]!r} is no beginning of a replay",
            hint="first, an offset, a time such as 2026-03-01T12:00:00Z, or a span back such as 10m or 2h",
        )
    return Since(time=moment)


def _moment(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 date or time; None when it is none."""
    read = _ISO.match(text)
    if read is None:
        return None
    year, month, day = int(read[1]), int(read[2]), int(read[3])
    hour, minute, second = (int(part or 0) for part in read.group(4, 5, 6))
    if not (year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 60:
        return None
    whole = timegm((year, month, day, hour, minute, second))
    return whole + float(read[7] or 0) - _zone_s(read[8] or "Z")


def _zone_s(zone: str) -> int:
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
