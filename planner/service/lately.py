"""A line of events that is bounded in number and bytes: the oldest go first, and are counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dsmt_core.events import Event, memory_of


class Lately:
    """The last events.

    Args:
        number: how many there are at most.
        size: how many bytes they take at most, about; one event is always taken.
    """

    def __init__(self, number: int, size: int) -> None:
        self._number = number
        self._size = size
        self._bytes = 0
        self._events: deque[tuple[Event, int]] = deque()

    def __len__(self) -> int:
        return len(self._events)

    def __reversed__(self) -> Iterator[Event]:
        return (event for event, _ in reversed(self._events))

    def append(self, event: Event) -> int:
        """Take an event as the last; how many made room for it."""
        size, dropped = memory_of(event), 0
        while self._events and (len(self._events) >= self._number or self._bytes + size > self._size):
            self.popleft()
            dropped += 1
        self._events.append((event, size))
        self._bytes += size
        return dropped

    def popleft(self) -> Event:
        """The first, which is taken out.

        Raises:
            IndexError: there is none.
        """
        event, size = self._events.popleft()
        self._bytes -= size
        return event
