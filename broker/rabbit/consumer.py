"""Reading a queue of the topology, as its only consumer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker.rabbit.channel import Channel
from broker.rabbit.reader import Owner, Reader
from broker.standins import Seat
from broker.topology import INGEST
from dsmt_core import channels
from dsmt_core.errors import NotFound


class Consumer(Reader):
    """See `broker.bus.Bus.consume`.

    Args:
        owner: its bus.
        queue: its name.
        under: deliveries from channels outside are refused.
        prefetch: how many may be unacknowledged.
    """

    # Nobody but its declarer can help it, so it must not wait for ever without a word.
    ends_when_silent = True

    def __init__(self, owner: Owner, queue: str, *, under: channels.Channel, prefetch: int) -> None:
        super().__init__(owner, under=under, prefetch=prefetch, buffer=0)
        self._seat = Seat(queue)

    async def set_up(self, _channel: Channel) -> str:
        """Nothing: the planner declares the queue, or its stand-in."""
        return self._seat.name

    async def granted(
        self, channel: Channel, queue: str, start: Callable[[Callable[[Any], None]], None]
    ) -> None:
        """Look under another name while the host of this one is down.

        Raises:
            NotFound: for this name.
            Unavailable, Denied, DeadlinePassed: see `Reader.granted`.
        """
        try:
            await super().granted(channel, queue, start)
        except NotFound as error:
            self._seat.refused(error.message)
            raise
        self._seat.taken()

    def exclusive(self, queue: str) -> bool:
        """Not for ingest: there the broker itself serves one consumer and keeps the others ready."""
        return queue != INGEST

    def interrupted(self) -> None:
        """Forget what waits: not acknowledged, it is delivered again, in order, to the next consumer."""
        self._buffer.clear()
