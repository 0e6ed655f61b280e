"""A lease in the embedded world: a queue of its own, renewed like one on RabbitMQ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Self

from broker.bus import Delivery
from broker.embedded.reader import Owner, Reader
from broker.reading import Message
from broker.tenure import Signs, Tenure, bindings
from broker.term import Term
from broker.topology import Binding, Queue, lease_arguments
from dsmt_core import channels
from dsmt_core.errors import DsmtError, NotFound
from dsmt_core.hearing import Wants
from dsmt_core.rights import LEASES
from dsmt_core.wire import MSGPACK


class Lease(Reader):
    """See `broker.bus.Bus.lease`.

    Args:
        owner: its bus.
        term: its queue, and what was granted.
        channel: what is heard, with everything below.
        wants: what of it.
        exchanges: where.
    """

    def __init__(
        self,
        owner: Owner,
        term: Term,
        *,
        channel: channels.Channel,
        wants: Wants,
        exchanges: Sequence[str],
    ) -> None:
        super().__init__(owner, term.grant.identifier, under=channel, prefetch=0)
        self._bindings = [
            Binding(self._queue, exchange, key)
            for exchange, key in bindings(term, channel, wants, exchanges)
        ]
        self._tenure = Tenure(owner, term, wants, Signs(gap=self._buffer.gap, over=self._is_over))

    @property
    def granted_s(self) -> float:
        """See the port."""
        return self._tenure.granted_s

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self

    async def __anext__(self) -> Delivery:
        return await anext(self._buffer)

    async def entered(self) -> None:
        """Until the bindings are in place."""
        await self._subscribe()
        self.tried.set()
        self._tenure.renewal.begin()

    def make(self) -> None:
        """Make the queue and its bindings, in the engine's thread; doing it again changes nothing."""
        self._tenure.check()
        self._owner.demand_reading(self._queue)
        self._owner.demand_making(self._queue)
        for binding in self._bindings:
            self._owner.demand_binding(binding)
        self._owner.world.add_queue(Queue(self._queue, lease_arguments(self.granted_s)))
        for binding in self._bindings:
            self._owner.world.bind(binding)

    async def attended(self) -> None:
        """Renew, until the subscription has ended or a renewal has failed; then it is set up anew."""
        self._tenure.mended()
        ended: asyncio.Future[Any] = asyncio.ensure_future(self._gone.wait())
        try:
            await self._tenure.renewal.look_after(ended, self._rebind, self._send)
        except DsmtError as error:
            self._owner.health.last_error = error.message
            self.interrupt()
        finally:
            ended.cancel()

    def gap(self) -> None:
        """See `Reader.gap`."""
        self._tenure.missed()

    async def close(self) -> None:
        """End it, and delete its queue; may be called twice."""
        self._tenure.renewal.end()
        await super().close()
        self._owner.do(partial(self._owner.world.delete, self._queue))

    def takes(self, message: Message) -> bool:
        """A probe is the lease's own."""
        self._tenure.renewal.heard()
        if message.exchange != LEASES:
            return False
        self._tenure.renewal.arrived(message)
        return True

    def _take(self, delivery: Delivery) -> None:
        if self._tenure.hears(delivery.event):
            super()._take(delivery)

    async def _rebind(self) -> None:
        try:
            await self._owner.call(self.make)
        except NotFound:
            self.gap()
            raise

    def _send(self, key: str, body: bytes) -> None:
        self._owner.send_unconfirmed(Message(body, MSGPACK, LEASES, key, self._owner.user))

    def _is_over(self, error: DsmtError) -> None:
        self._buffer.end(error)
        self.interrupt()
