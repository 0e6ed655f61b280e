"""What an embedded world keeps of all that was said: the last of it, bounded, each with its offset.

Lives in the engine's thread; what it is asked to call is called there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from broker.reading import Message

_KEPT: Final = 50_000
_KEPT_BYTES: Final = 32 << 20


class History:
    """The last messages that were to be kept.

    Args:
        number, size: at most so many, and so many bytes of body; the oldest are dropped.
    """

    def __init__(self, number: int = _KEPT, size: int = _KEPT_BYTES) -> None:
        self._number = number
        self._size = size
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._first = 0
        self.told: set[Callable[[], None]] = set()

    def add(self, message: Message) -> None:
        """Keep ``message``, and tell those who wait for more."""
        self._messages.append(message)
        self._bytes += len(message.body)
        while len(self._messages) > self._number or self._bytes > self._size:
            self._bytes -= len(self._messages.popleft().body)
            self._first += 1
        for tell in tuple(self.told):
            tell()

    def behind(self, offset: int, count: int) -> list[tuple[int, Message]]:
        """At most ``count`` messages from ``offset`` on, or from the first that is still there."""
        begin = max(0, offset - self._first)
        found = islice(self._messages, begin, begin + count)
        return [(self._first + begin + index, message) for index, message in enumerate(found)]
