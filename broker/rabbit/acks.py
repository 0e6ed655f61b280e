"""Acknowledging in batches: what was dealt with within a moment goes out together.

One for each delivery would cost more than the delivery: three turns of the event loop and a system call.
One that is late by a moment costs nothing, for the broker has handed over more than that.

Delivery tags belong to a channel; an acknowledgement that comes after its end is dropped, since the
broker delivers those messages again.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pika.exceptions import AMQPError

from broker.rabbit.channel import Channel

WITHIN_S: Final = 0.02
# Of what may be unacknowledged, this part goes out at once, so that the broker never waits.
_PART: Final = 4


class Acks:
    """The acknowledgements of one channel, whose tags count from 1.

    Args:
        channel: the one.
        prefetch: how many may be unacknowledged: a quarter of them goes out at once, fewer within a moment.
    """

    def __init__(self, channel: Channel, prefetch: int) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._together = max(prefetch // _PART, 1)
        self._done: set[int] = set()
        # Acknowledged one by one ahead of others; naming one twice would close the channel (406).
        self._ahead: set[int] = set()
        self._next = 1
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False

    def done(self, tag: int) -> None:
        """The delivery ``tag`` has been dealt with; twice is as good as once."""
        if tag < self._next or tag in self._ahead:
            return
        self._done.add(tag)
        if self._soon:
            return
        if len(self._done) >= self._together:
            self._soon = True
            self._loop.call_soon(self.flush)
        elif self._timer is None:
            self._timer = self._loop.call_later(WITHIN_S, self.flush)

    def flush(self) -> None:
        """Send what was gathered: those in a row as one, the others one by one."""
        self._soon = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        raw = self._channel.raw
        if not raw.is_open:
            return
        last = self._last_in_a_row()
        try:
            if last:
                raw.basic_ack(last, multiple=True)
            for tag in self._done:
                raw.basic_ack(tag)
        except AMQPError:
            # The channel has just ended: the broker delivers them again.
            return
        self._ahead |= self._done
        self._done.clear()

    def _last_in_a_row(self) -> int:
        """Advance over all that is done without a gap; the last of them not acknowledged before, or 0."""
        last = 0
        while True:
            if self._next in self._done:
                self._done.discard(self._next)
                last = self._next
            elif self._next in self._ahead:
                self._ahead.discard(self._next)
            else:
                return last
            self._next += 1
