"""What holds now: of each instance the last value of a thing, for as long as its sender said.

Pure: the time is an argument, by any one clock. An older value never replaces a newer one, in whatever
order they are told, nor does it bring back one that is over. Bounded in number and bytes: the value heard
longest ago makes room.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE_TYPES, Event, memory_of

NUMBER: Final = 10_000
BYTES: Final = 16 << 20
_NEVER: Final = float("inf")


class Key(NamedTuple):
    """Whose value it is, and of what.

    Attributes:
        managed: the pair of that name, of a part that reports on several things.
    """

    channel: Channel
    instance: str
    field: str
    managed: str = ""


class Told(NamedTuple):
    """When something was said: its place in the life of its instance, and when it was heard (seconds)."""

    boot_id: str
    seq: int
    heard_at: float

    def overtakes(self, other: Told) -> bool:
        """Whether ``other`` is the same, or older; between two lives, when it was heard decides."""
        if self.boot_id and self.boot_id == other.boot_id:
            return other.seq <= self.seq
        return other.heard_at < self.heard_at


@dataclass(frozen=True, slots=True)
class Value:
    """An event that holds.

    Attributes:
        heard_at: when it was heard, seconds.
        size: about how many bytes it takes.
    """

    event: Event
    heard_at: float
    size: int

    @property
    def until(self) -> float:
        """When it is over, seconds by the clock of the hearer."""
        return self.heard_at + self.event.expiry

    @property
    def told(self) -> Told:
        """When it was said."""
        return Told(self.event.boot_id, self.event.seq, self.heard_at)


class LastValues(Mapping[Key, Event]):
    """The last value of each key, until `forget` is called at a time when it is over.

    Args:
        number: how many are held at most; as many that are over are remembered.
        size: how many bytes they may take together, about.

    Attributes:
        dropped: how many had to make room for others.
    """

    def __init__(self, *, number: int = NUMBER, size: int = BYTES) -> None:
        self._number = number
        self._size = size
        self._held: OrderedDict[Key, Value] = OrderedDict()
        self._over: OrderedDict[Key, Told] = OrderedDict()
        self._ends: list[tuple[float, Key]] = []
        self._bytes = 0
        self.dropped = 0

    def hear(self, event: Event, heard_at: float) -> bool:
        """Take in an event, unless it or a newer one is known; whether a value is another than before.

        An event whose value does not hold when it is heard (``expiry`` 0) takes its value back.

        Args:
            event: as decoded; one without an attribute is no value.
            heard_at: seconds; for one out of the history, when it was sent.
        """
        if event.payload not in ATTRIBUTE_TYPES:
            return False
        key = Key(event.channel, event.instance, event.field, event.pairs.get("managed", ""))
        value = Value(event, heard_at, memory_of(event))
        before = self._held.get(key)
        known = self._over.get(key) if before is None else before.told
        if known is not None and known.overtakes(value.told):
            return False
        self._remove(key)
        if event.expiry <= 0:
            self._remember(key, value)
            return before is not None
        self._hold(key, value)
        return True

    def forget(self, now: float) -> bool:
        """Forget what does not hold any more; whether there was any."""
        forgotten = False
        while self._ends and self._ends[0][0] <= now:
            until, key = heapq.heappop(self._ends)
            if self._ends_at(key) == until:
                self._remember(key, self._held[key])
                self._remove(key)
                forgotten = True
        return forgotten

    def holding(self, now: float, passes: Callable[[Event], bool]) -> list[Value]:
        """The values that hold and pass, the one heard longest ago first."""
        self.forget(now)
        return [value for value in self._held.values() if passes(value.event)]

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

    def _hold(self, key: Key, value: Value) -> None:
        self._over.pop(key, None)
        self._held[key] = value
        self._bytes += value.size
        heapq.heappush(self._ends, (value.until, key))
        while len(self._held) > self._number or self._bytes > self._size:
            self._remove(next(iter(self._held)))
            self.dropped += 1
        # Each repeat leaves an end behind that means nothing any more.
        if len(self._ends) > 2 * len(self._held) + 64:
            self._ends = [(each.until, key) for key, each in self._held.items()]
            heapq.heapify(self._ends)

    def _remember(self, key: Key, value: Value) -> None:
        self._over[key] = value.told
        self._over.move_to_end(key)
        if len(self._over) > self._number:
            self._over.popitem(last=False)

    def _remove(self, key: Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held.size

    def _ends_at(self, key: Key) -> float:
        held = self._held.get(key)
        return _NEVER if held is None else held.until
