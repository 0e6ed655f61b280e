"""What is due when: a heap of times, so that nobody looks through all orders for the few that are due."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Generic, TypeVar

Key = TypeVar("Key")

NEVER = float("inf")
# Times that count no more leave when they have passed; beyond so many at once.
_STALE = 1_000


class Due(Generic[Key]):
    """Times by key.

    Args:
        time_of: when a key is due as of now; a key that is not there any more is never due.
    """

    def __init__(self, time_of: Callable[[Key], float]) -> None:
        self._time_of = time_of
        self._heap: list[tuple[float, int, Key]] = []
        self._numbers = count()

    def put(self, key: Key, due: float, *, living: int) -> None:
        """A key has got another time.

        Args:
            key: what.
            due: when; what `time_of` says of it from now on.
            living: how many keys there are, by which the heap is bounded.
        """
        heapq.heappush(self._heap, (due, next(self._numbers), key))
        if len(self._heap) > 2 * living + _STALE:
            self._heap = [one for one in self._heap if self._time_of(one[2]) == one[0]]
            heapq.heapify(self._heap)

    def take(self, now: float) -> Iterator[Key]:
        """The keys whose time has come; each is told once until it has another time."""
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._time_of(key) == due:
                yield key

    def first(self) -> float:
        """The first time; infinity when there is none."""
        while self._heap and self._time_of(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER
