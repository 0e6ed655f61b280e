"""The current values on a channel: of each instance and field the last that was heard, as long as it holds.

Pure: the time is an argument, by any one clock. Bounded in number and bytes: the value heard least recently
makes room. What an instance said before is not taken for news (`dsmt_core.events.Doubles`).
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE_TYPES, Doubles, Event, memory_of
from dsmt_core.hearing import holds

LIMIT: Final = 10_000
LIMIT_BYTES: Final = 16 << 20
_NEVER: Final = float("inf")


class Key(NamedTuple):
    """Of what something is the current value."""

    channel: Channel
    instance: str
    field: str


@dataclass(frozen=True, slots=True)
class _Held:
    event: Event
    until: float
    size: int


class Values(Mapping[Key, Event]):
    """The values; whoever reads them calls `forget` first.

    Args:
        limit: how many are held.
        limit_bytes: how many bytes they may take together.
    """

    def __init__(self, *, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._ends: list[tuple[float, Key]] = []
        self._doubles = Doubles(limit)
        self._bytes = 0
        self.dropped = 0

    def hear(self, event: Event, now: float) -> bool:
        """Take in an event; whether a value is another one than before.

        An event whose value does not hold any more when it is heard (``expiry`` 0) takes its value back.

        Args:
            event: as delivered; one without an attribute is no value.
            now: seconds, when it was heard.
        """
        if event.payload not in ATTRIBUTE_TYPES or not self._doubles.is_new(event):
            return False
        key = Key(event.channel, event.instance, event.field)
        before = self._remove(key)
        if not holds(event, now, now):
            return before is not None
        self._hold(key, _Held(event, now + event.expiry, memory_of(event)))
        return True

    def forget(self, now: float) -> bool:
        """Forget what does not hold any more; whether there was any."""
        forgotten = False
        while self._ends and self._ends[0][0] <= now:
            until, key = heapq.heappop(self._ends)
            if self._ends_at(key) == until:
                forgotten = self._remove(key) is not None
        return forgotten

    @property
    def next_end(self) -> float:
        """When the next value ends, seconds by the clock of the hearer; infinite when there is none."""
        while self._ends and self._ends_at(self._ends[0][1]) != self._ends[0][0]:
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else _NEVER

    def __getitem__(self, key: Key) -> Event:
        return self._held[key].event

    def __iter__(self) -> Iterator[Key]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def _hold(self, key: Key, held: _Held) -> None:
        self._held[key] = held
        self._bytes += held.size
        heapq.heappush(self._ends, (held.until, key))
        while len(self._held) > self._limit or self._bytes > self._limit_bytes:
            self._remove(next(iter(self._held)))
            self.dropped += 1
        # Each repeat leaves an end behind that means nothing any more.
        if len(self._ends) > 2 * len(self._held) + 64:
            self._ends = [(each.until, key) for key, each in self._held.items()]
            heapq.heapify(self._ends)

    def _remove(self, key: Key) -> _Held | None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held.size
        return held

    def _ends_at(self, key: Key) -> float:
        held = self._held.get(key)
        return _NEVER if held is None else held.until
