"""What holds now: the last value of each instance, for those who come late. Decides only.

A value belongs to (channel, instance, field, managed). An older one never replaces a newer, in whatever
order they are told; one whose expiry is over is not shown. Bounded in number and size: the one heard
longest ago goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from dsmt_core.channels import Channel
from dsmt_core.events import Event, memory_of
from dsmt_core.hearing import holds

NUMBER: Final = 50_000
BYTES: Final = 32 << 20


class Key(NamedTuple):
    """Whose value it is, and of what."""

    channel: Channel
    instance: str
    field: str
    managed: str


@dataclass(frozen=True, slots=True)
class Value:
    """An event, and when it was heard (seconds)."""

    event: Event
    heard_at: float
    size: int


class LastValues:
    """The last value of each key.

    Args:
        number: how many are kept at most.
        size: how many bytes at most, about.
    """

    def __init__(self, number: int = NUMBER, size: int = BYTES) -> None:
        self._number = number
        self._size = size
        self._bytes = 0
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def heard(self, event: Event, heard_at: float) -> None:
        """Take ``event``, unless a newer one is known.

        Args:
            event: as decoded.
            heard_at: seconds; for one out of the history, when it was sent.
        """
        key = Key(event.channel, event.instance, event.field, event.pairs.get("managed", ""))
        known = self._values.get(key)
        if known is not None:
            if _newer(known, event, heard_at):
                return
            self._bytes -= known.size
        size = memory_of(event)
        self._values[key] = Value(event, heard_at, size)
        self._values.move_to_end(key)
        self._bytes += size
        while len(self._values) > self._number or self._bytes > self._size:
            self._bytes -= self._values.popitem(last=False)[1].size

    def holding(self, now: float, passes: Callable[[Event], bool]) -> list[Event]:
        """The values that hold and pass, the one heard longest ago first; what is over is forgotten."""
        over = [key for key, value in self._values.items() if not holds(value.event, now, value.heard_at)]
        for key in over:
            self._bytes -= self._values.pop(key).size
        return [value.event for value in self._values.values() if passes(value.event)]


def _newer(known: Value, event: Event, heard_at: float) -> bool:
    """Whether what is known is newer than ``event``: by its sender's count, or by when it was heard."""
    if event.boot_id and event.boot_id == known.event.boot_id:
        return event.seq < known.event.seq
    return heard_at < known.heard_at
