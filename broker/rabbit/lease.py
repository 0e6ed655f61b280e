"""A lease: a queue of its own that hears a channel and all below it, and expires without a reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from broker.bus import Delivery
from broker.rabbit.channel import Channel
from broker.rabbit.reader import Owner, Reader, placed
from broker.topology import lease_arguments
from dsmt_core import channels
from dsmt_core.errors import NotFound

_PREFETCH: Final = 1_000


class Lease(Reader):
    """See `broker.bus.Bus.lease`.

    Args:
        owner: its bus.
        queue: a name nobody else has, beginning with `broker.topology.LEASE_PREFIX`.
        channel: what is heard, with everything below.
        bindings: exchange and routing key of each binding.
        duration_s: the queue expires so long after its reader is gone.
    """

    def __init__(
        self,
        owner: Owner,
        queue: str,
        *,
        channel: channels.Channel,
        bindings: Sequence[tuple[str, str]],
        duration_s: float,
    ) -> None:
        super().__init__(owner, under=channel, prefetch=_PREFETCH, buffer=owner.limits.lease_buffer)
        self._queue = queue
        self._bindings = bindings
        self._arguments = lease_arguments(duration_s)
        self._existed = False

    async def entered(self) -> None:
        """Until the bindings are in place."""
        await placed(self, self._owner.limits.confirm_s)

    async def set_up(self, channel: Channel) -> str:
        """Declare and bind; doing it again changes nothing.

        Raises:
            NotFound: the queue has expired or was deleted; the reader is told of a loss, and it is made
                anew on the next channel.
        """
        if self._existed:
            await self._check(channel)
        await channel.request(partial(self._declare, channel.raw), "declaring a lease")
        self._existed = True
        for exchange, key in self._bindings:
            bind = partial(self._bind, channel.raw, exchange, key)
            await channel.request(bind, f"binding a lease to {exchange}")
        return self._queue

    async def leave(self, channel: Channel) -> None:
        """A lease that is given up leaves no queue."""
        await channel.request(lambda callback: channel.raw.queue_delete(self._queue, callback=callback), "")

    def _take(self, delivery: Delivery) -> None:
        # The broker is to hold nothing for a slow reader: here it is bounded, and told of what it loses.
        delivery.ack()
        super()._take(delivery)

    async def _check(self, channel: Channel) -> None:
        try:
            await channel.request(
                lambda callback: channel.raw.queue_declare(self._queue, passive=True, callback=callback),
                "looking for a lease",
            )
        except NotFound:
            # How many it missed nobody knows: at least tell that there is a gap.
            self._existed = False
            self._buffer.lose(1)
            raise

    def _bind(self, raw: Any, exchange: str, key: str, callback: Callable[[Any], None]) -> None:
        raw.queue_bind(self._queue, exchange, key, callback=callback)

    def _declare(self, raw: Any, callback: Callable[[Any], None]) -> None:
        raw.queue_declare(self._queue, durable=True, arguments=self._arguments, callback=callback)
