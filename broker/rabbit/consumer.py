"""Reading a queue of the topology, as its only consumer."""

from __future__ import annotations

from broker.rabbit.channel import Channel
from broker.rabbit.reader import Owner, Reader
from broker.topology import INGEST
from dsmt_core import channels


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
        self._queue = queue

    async def set_up(self, _channel: Channel) -> str:
        """Nothing: the planner declares the queue."""
        return self._queue

    def exclusive(self, queue: str) -> bool:
        """Not for ingest: there the broker itself serves one consumer and keeps the others ready."""
        return queue != INGEST

    def interrupted(self) -> None:
        """Forget what waits: not acknowledged, it is delivered again, in order, to the next consumer."""
        self._buffer.clear()
