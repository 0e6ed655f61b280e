"""Acknowledging in batches: what was dealt with in one turn of the event loop goes out together.

Delivery tags belong to a channel; an acknowledgement that comes after its end is dropped, since the
broker delivers those messages again.
"""

from __future__ import annotations

import asyncio

from pika.exceptions import AMQPError

from broker.rabbit.channel import Channel


class Acks:
    """The acknowledgements of one channel, whose tags count from 1."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._done: set[int] = set()
        # Acknowledged one by one ahead of others; naming one twice would close the channel (406).
        self._ahead: set[int] = set()
        self._next = 1
        self._scheduled = False

    def done(self, tag: int) -> None:
        """The delivery ``tag`` has been dealt with; twice is as good as once."""
        if tag < self._next or tag in self._ahead:
            return
        self._done.add(tag)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what was gathered: those in a row as one, the others one by one."""
        self._scheduled = False
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
