"""A lease: a queue of its own that hears a channel and all below it, and expires without a reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, Final, Self

from pika.exceptions import AMQPError

from broker.bus import Delivery
from broker.rabbit.acks import Acks
from broker.rabbit.channel import Channel
from broker.rabbit.properties import transient
from broker.rabbit.reader import Owner, Reader, placed
from broker.rabbit.refusals import ours
from broker.reading import Message
from broker.standins import Seat
from broker.tenure import Signs, Tenure, bindings
from broker.term import Term
from broker.topology import lease_arguments
from dsmt_core import channels
from dsmt_core.errors import DsmtError, NotFound
from dsmt_core.hearing import Wants
from dsmt_core.rights import LEASES

_PREFETCH: Final = 1_000


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
        super().__init__(owner, under=channel, prefetch=_PREFETCH, buffer=owner.limits.lease_buffer)
        # While the host of its queue is down it has another one; probes keep their key.
        self._seat = Seat(term.grant.identifier)
        self._bindings = bindings(term, channel, wants, exchanges)
        self._arguments = lease_arguments(term.granted_s)
        self._tenure = Tenure(owner, term, wants, Signs(gap=self._buffer.gap, over=self._is_over))
        self._existed = False

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
        await placed(self, self._owner.limits.confirm_s)
        self._tenure.renewal.begin()

    async def set_up(self, channel: Channel) -> str:
        """Declare and bind; doing it again changes nothing.

        Raises:
            NotFound: the queue has expired or was deleted, or an exchange is not there; the reader is told
                of a loss, and it is made anew on the next channel.
        """
        self._tenure.check()
        try:
            if self._existed:
                await self._check(channel)
            await channel.request(partial(self._declare, channel.raw), "declaring a lease")
        except NotFound as error:
            self._seat.refused(error.message)
            raise
        self._existed = True
        await self._bind_all(channel, 0.0)
        self._tenure.mended()
        return self._seat.name

    async def attended(self, ended: asyncio.Future[None]) -> None:
        """Renew, until the consumer has ended or a renewal has failed; then it is set up anew."""
        channel = self._channel
        if channel is None:
            return
        try:
            await self._tenure.renewal.look_after(
                ended,
                partial(self._bind_all, channel, self._owner.limits.probe_s),
                partial(self._send, channel),
            )
        except DsmtError as error:
            self._owner.health.last_error = error.message
            await channel.close()

    async def leave(self, channel: Channel) -> None:
        """A lease that is given up leaves no queue."""
        await channel.request(
            lambda callback: channel.raw.queue_delete(self._seat.name, callback=callback), ""
        )

    async def close(self) -> None:
        """End it; see `Reader.close`."""
        self._tenure.renewal.end()
        await super().close()

    def _deliver(self, acks: Acks, raw: Any, method: Any, properties: Any, body: bytes) -> None:
        self._tenure.renewal.heard()
        if method.exchange != LEASES:
            super()._deliver(acks, raw, method, properties, body)
            return
        acks.done(method.delivery_tag)
        user = properties.user_id or ""
        self._tenure.renewal.arrived(
            Message(body, properties.content_type or "", LEASES, method.routing_key, user)
        )

    def _take(self, delivery: Delivery) -> None:
        # The broker is to hold nothing for a slow reader: here it is bounded, and told of what it loses.
        delivery.ack()
        if self._tenure.hears(delivery.event):
            super()._take(delivery)

    async def _check(self, channel: Channel) -> None:
        try:
            await channel.request(
                lambda callback: channel.raw.queue_declare(
                    self._seat.name, passive=True, callback=callback
                ),
                "looking for a lease",
            )
        except NotFound:
            self._existed = False
            self._tenure.missed()
            raise

    async def _bind_all(self, channel: Channel, within_s: float) -> None:
        try:
            for exchange, key in self._bindings:
                bind = partial(self._bind, channel.raw, exchange, key)
                await channel.request(bind, f"binding a lease to {exchange}", within_s=within_s)
        except NotFound:
            if self.in_place.done():
                self._tenure.missed()
            raise

    def _is_over(self, error: DsmtError) -> None:
        self._give_up(error)
        if self._channel is not None and self._channel.raw.is_open:
            self._channel.raw.close()

    def _send(self, channel: Channel, key: str, body: bytes) -> None:
        try:
            channel.publish(LEASES, key, transient(self._owner.user, self.granted_s), body)
        except AMQPError as error:
            raise ours(error) from error

    def _bind(self, raw: Any, exchange: str, key: str, callback: Callable[[Any], None]) -> None:
        raw.queue_bind(self._seat.name, exchange, key, callback=callback)

    def _declare(self, raw: Any, callback: Callable[[Any], None]) -> None:
        raw.queue_declare(self._seat.name, durable=True, arguments=self._arguments, callback=callback)
