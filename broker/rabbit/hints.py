"""Sending without confirms and without waiting: heartbeats, and letters to the dead.

Dead letters go this way so that a flood of refused messages can push nothing out of the outbox.

The channel is opened when the first is to be sent: most agents never send one, and each open channel costs
the broker memory and time, thousands of times.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from pika.exceptions import AMQPError

from broker import retry
from broker.bus import Health, Limits
from broker.rabbit.channel import Channel
from broker.rabbit.connection import Connection
from broker.rabbit.properties import letter, transient
from broker.reading import Message, dead_letter
from broker.sending import checked
from dsmt_core.errors import DsmtError
from dsmt_core.events import Event
from dsmt_core.rights import DEAD

# What the socket has not taken: beyond it the broker is too slow for hints, and they are dropped.
_BACKLOG_BYTES: Final = 4 << 20
# So many wait while the channel is opened for the first time; the oldest go.
_FIRST: Final = 16


class Hints:
    """The unconfirmed way out of one bus.

    Args:
        limits: its bounds.
        health: where it counts.
        user: in whose name it sends.
    """

    def __init__(self, limits: Limits, health: Health, user: str) -> None:
        self._limits = limits
        self._health = health
        self._user = user
        self._channel: Channel | None = None
        self._connection: Connection | None = None
        self._blocked = False
        self._wanted = asyncio.Event()
        self._opened = False
        self._first: deque[tuple[str, str, bytes, bytes]] = deque(maxlen=_FIRST)

    def send(self, event: Event, exchange: str) -> bool:
        """See `broker.bus.Bus.hint`."""
        key, body = checked(event, exchange, user=self._user, most=self._limits.event_bytes)
        return self._send(exchange, key, body, transient(self._user, event.ttl))

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters, with the reason; counted, also when that fails."""
        self._health.refuse(message, reason)
        if message.exchange == DEAD:
            return
        dead = dead_letter(message, reason, self._user)
        self._send(DEAD, str(dead.routing_key), dead.body, letter(self._user, dead))

    async def keep(self, connection: Connection, in_place: asyncio.Event) -> None:
        """Have a channel on ``connection`` until that ends, from when one is needed.

        Args:
            connection: open.
            in_place: is set once the channel is there, or none is needed yet.
        """
        backoff = retry.consumer()
        self._connection = connection
        if not self._wanted.is_set():
            in_place.set()
            await self._wanted.wait()
        while connection.is_open:
            try:
                self._channel = await Channel.open(connection, self._limits)
            except DsmtError as error:
                self._health.last_error = error.message
            else:
                in_place.set()
                self._send_first()
                ended = await self._channel.closed
                self._health.last_error = ended.message
            self._channel = None
            await asyncio.sleep(backoff.next_s())

    def block(self, *, blocked: bool) -> None:
        """The broker blocks publishers, or does not any more."""
        self._blocked = blocked

    def disconnected(self) -> None:
        """The connection is gone."""
        self._connection = self._channel = None
        self._blocked = self._opened = False
        self._first.clear()

    def _send(self, exchange: str, key: str, body: bytes, properties: bytes) -> bool:
        connection, channel = self._connection, self._channel
        if connection is not None and not self._blocked and not self._opened:
            self._first.append((exchange, key, body, properties))
            self._wanted.set()
            return True
        if connection is None or channel is None or self._blocked or connection.backlog > _BACKLOG_BYTES:
            return False
        try:
            channel.publish(exchange, key, properties, body)
        except AMQPError as error:
            self._health.last_error = str(error)
            return False
        return True

    def _send_first(self) -> None:
        """Send what came before there was a channel."""
        self._opened = True
        while self._first:
            self._send(*self._first.popleft())
