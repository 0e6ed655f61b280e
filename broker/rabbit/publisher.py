"""Publishing with confirms: pipelined, in order, bounded; again from the first unconfirmed one.

One channel of its own. A publisher waits for its confirm; what is posted waits in the outbox while the
broker is away or blocks.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any, Final

import pika
from pika.exceptions import AMQPError

from broker import retry
from broker.bus import Health, Limits
from broker.rabbit.channel import Channel
from broker.rabbit.connection import Connection
from broker.rabbit.outgoing import Entry, Outgoing
from broker.rabbit.refusals import ours
from broker.sending import checked
from dsmt_core.errors import Denied, DsmtError, NotFound, Unavailable
from dsmt_core.events import Event
from dsmt_core.wire import MSGPACK

_SWEEP_S: Final = 0.5
_AGAIN_S: Final = 0.2


class Publisher:
    """The confirmed way out of one bus.

    Args:
        limits: its bounds.
        health: where it counts.
        user: in whose name it publishes.
    """

    def __init__(self, limits: Limits, health: Health, user: str) -> None:
        self._limits = limits
        self._health = health
        self._user = user
        self._out = Outgoing(limits, health)
        self._properties = pika.BasicProperties(
            content_type=MSGPACK, delivery_mode=pika.DeliveryMode.Persistent.value, user_id=user
        )
        self._channel: Channel | None = None
        self._connection: Connection | None = None
        self._blocked = False
        self._idle = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._sweep = self._loop.call_later(_SWEEP_S, self._expire)

    async def publish(self, event: Event, exchange: str) -> None:
        """See `broker.bus.Bus.publish`."""
        key, body = checked(event, exchange, self._user)
        if self._connection is None:
            raise Unavailable("the broker is away", hint=self._health.last_error)
        waiter = self._loop.create_future()
        self._out.add(Entry(exchange, key, body, waiter, self._loop.time() + self._limits.confirm_s))
        self._pump()
        await waiter

    async def post(self, event: Event, exchange: str) -> bool:
        """See `broker.bus.Bus.post`."""
        key, body = checked(event, exchange, self._user)
        entry = Entry(exchange, key, body, None, self._loop.time() + self._limits.confirm_s, posted=True)
        if self._connection is None or self._blocked:
            self._out.shelve(entry)
            return False
        waiter = entry.waiter = self._loop.create_future()
        self._out.add(entry)
        self._pump()
        confirmed: bool = await waiter
        return confirmed

    async def keep(self, connection: Connection, in_place: asyncio.Event) -> None:
        """Have a channel on ``connection`` until that ends.

        Args:
            connection: an open one.
            in_place: set once the channel is there.
        """
        backoff = retry.consumer()
        self._connection = connection
        while connection.is_open:
            try:
                channel = await Channel.open(connection, self._limits, self._suspend)
                turn_on = partial(channel.raw.confirm_delivery, self._on_confirm)
                await channel.request(turn_on, "turning confirms on")
            except DsmtError as error:
                self._health.last_error = error.message
                await asyncio.sleep(backoff.next_s())
                continue
            self._channel = channel
            in_place.set()
            self._pump()
            ended = await channel.closed
            if not isinstance(ended, Denied):
                await asyncio.sleep(backoff.next_s())

    def disconnected(self) -> None:
        """The connection is gone."""
        self._connection = None
        self._blocked = False
        self._out.rewind()
        self._out.disconnected()

    def block(self, *, blocked: bool) -> None:
        """The broker blocks publishers, or does not any more."""
        self._blocked = blocked
        self._pump()

    async def drain(self, within_s: float) -> None:
        """Wait until all is confirmed, as long as there is a connection."""
        if self._connection is None or self._out.empty:
            return
        self._idle.clear()
        gone = self._connection.closed
        gone.add_done_callback(self._wake)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        gone.remove_done_callback(self._wake)

    def end(self) -> None:
        """Give up what is under way; may be called twice."""
        self._sweep.cancel()
        self._out.end(Unavailable("the bus is closed"))

    def _pump(self) -> None:
        """Send what the window has room for."""
        channel = self._channel
        if channel is None or self._blocked:
            return
        try:
            while (entry := self._out.next()) is not None:
                channel.raw.basic_publish(entry.exchange, entry.key, entry.body, self._properties)
        except AMQPError as error:
            # It has just ended; `_suspend` puts back what was sent.
            self._health.last_error = ours(error).message
        self._health.unconfirmed = self._out.unconfirmed

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._out.refuse(method.delivery_tag, multiple=method.multiple)
            self._loop.call_later(_AGAIN_S, self._pump)
        else:
            self._out.confirm(method.delivery_tag, multiple=method.multiple)
            self._pump()
        if self._out.empty:
            self._idle.set()

    def _suspend(self, error: DsmtError) -> None:
        """The channel has ended, by the broker's refusal or with its connection."""
        if self._channel is None:
            return
        self._channel = None
        if not isinstance(error, Unavailable):
            self._health.last_error = error.message
            away = isinstance(error, NotFound)
            shown = Unavailable(error.message, hint="has the planner started?") if away else error
            self._out.blame(shown, keep_posted=away)
        self._out.rewind()

    def _wake(self, _gone: object) -> None:
        self._idle.set()

    def _expire(self) -> None:
        self._out.expire(self._loop.time())
        self._sweep = self._loop.call_later(_SWEEP_S, self._expire)
