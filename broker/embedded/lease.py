"""A lease in the embedded world: a queue of its own, renewed like one on RabbitMQ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Self

from broker.bus import Delivery
from broker.embedded.reader import Owner, Reader
from broker.reading import Message
from broker.renewal import BIND_AGAIN_KEY, Renewal, Told
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
        self._wants = wants
        key = channels.binding_key(channel, wants.state)
        self._bindings = [*(Binding(self._queue, exchange, key) for exchange in exchanges)]
        self._bindings += [Binding(self._queue, LEASES, own) for own in (self._queue, BIND_AGAIN_KEY)]
        self._renewal = Renewal(
            term,
            owner.user,
            limits=owner.limits,
            health=owner.health,
            told=Told(over=self._is_over, missed=self.gap),
        )
        self._over: DsmtError | None = None
        self._whole = True

    @property
    def granted_s(self) -> float:
        """See the port."""
        return self._renewal.term.granted_s

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
        self._renewal.begin()

    def make(self) -> None:
        """Make the queue and its bindings, in the engine's thread; doing it again changes nothing."""
        if self._over is not None:
            raise self._over
        self._owner.demand_reading(self._queue)
        self._owner.demand_making(self._queue)
        for binding in self._bindings:
            self._owner.demand_binding(binding)
        self._owner.world.add_queue(Queue(self._queue, lease_arguments(self.granted_s)))
        for binding in self._bindings:
            self._owner.world.bind(binding)

    async def attended(self) -> None:
        """Renew, until the subscription has ended or a renewal has failed; then it is set up anew."""
        self._whole = True
        ended: asyncio.Future[Any] = asyncio.ensure_future(self._gone.wait())
        try:
            await self._renewal.look_after(ended, self._rebind, self._send)
        except DsmtError as error:
            self._owner.health.last_error = error.message
            self.interrupt()
        finally:
            ended.cancel()

    def gap(self) -> None:
        """How many it misses nobody knows: tell that there is a gap, once for each."""
        if self._whole:
            self._whole = False
            self._buffer.gap()

    async def close(self) -> None:
        """End it, and delete its queue; may be called twice."""
        self._renewal.end()
        await super().close()
        self._owner.do(partial(self._owner.world.delete, self._queue))

    def takes(self, message: Message) -> bool:
        """A probe is the lease's own."""
        self._renewal.heard()
        if message.exchange != LEASES:
            return False
        self._renewal.arrived(message)
        return True

    def _take(self, delivery: Delivery) -> None:
        if self._over is None and self._wants.hears(delivery.event):
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
        self._over = error
        self._buffer.end(error)
        self.interrupt()
