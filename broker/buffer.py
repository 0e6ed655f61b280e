"""Deliveries on their way from the connection to one reader; bounded, and it never goes quiet.

The reader of a lease that is too slow loses the oldest and is told how many; a consumer's deliveries
are bounded by its prefetch and never lost. The end, with or without an error, is passed on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

from broker.bus import Delivery, Health
from dsmt_core.errors import DsmtError


class Buffer:
    """An iterator over deliveries.

    Args:
        limit: how many may wait; 0 when something else bounds them.
        health: where losses are counted.
        limit_bytes: how many bytes of body may wait; 0 when something else bounds them.
    """

    def __init__(self, limit: int, health: Health, *, limit_bytes: int = 0) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._health = health
        self._deliveries: deque[Delivery] = deque()
        self._lost = 0
        self._wakeup: asyncio.Future[None] | None = None
        self._ended = False
        self._error: DsmtError | None = None

    def put(self, delivery: Delivery) -> None:
        """Take a delivery; with the buffer full the oldest make room."""
        while self._deliveries and self._is_full(delivery.size):
            self._bytes -= self._deliveries.popleft().size
            self.lose(1)
        self._deliveries.append(delivery)
        self._bytes += delivery.size
        self._wake()

    def lose(self, count: int) -> None:
        """Tell the reader, with its next delivery, that ``count`` were lost."""
        self._lost += count
        self._health.lost += count

    def gap(self) -> None:
        """Tell the reader of a loss that nobody can count, unless its next delivery tells of one anyway."""
        if not self._lost:
            self.lose(1)

    def clear(self) -> None:
        """Forget what waits: the broker delivers it again."""
        self._deliveries.clear()
        self._bytes = 0

    def end(self, error: DsmtError | None = None) -> None:
        """Nothing comes any more; the reader still gets what waits, then ``error``, if there is one."""
        self._ended = True
        self._error = self._error or error
        self._wake()

    def __aiter__(self) -> Buffer:
        return self

    async def __anext__(self) -> Delivery:
        while not self._deliveries:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wakeup = asyncio.get_running_loop().create_future()
            await self._wakeup
        delivery = self._deliveries.popleft()
        self._bytes -= delivery.size
        if self._lost:
            delivery, self._lost = replace(delivery, lost=self._lost), 0
        return delivery

    def _is_full(self, size: int) -> bool:
        if self._limit and len(self._deliveries) >= self._limit:
            return True
        return bool(self._limit_bytes) and self._bytes + size > self._limit_bytes

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)
