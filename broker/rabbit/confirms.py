"""The publisher's channel: in confirm mode, opened again when the broker closes it or it is left."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import pika
from pika.exceptions import AMQPError

from broker import retry
from broker.bus import Health, Limits
from broker.outgoing import Entry
from broker.publisher import Publisher
from broker.rabbit.channel import Channel
from broker.rabbit.connection import Connection
from broker.rabbit.properties import persistent
from dsmt_core.errors import Denied, DsmtError

# A channel that lived so long was a good one: the next series of attempts begins anew.
_STABLE_S: Final = 5.0
# A queue that refuses because it is made anew is not bound for a moment: what came then would be lost.
_AGAIN_S: Final = 0.2


class Confirms:
    """Sends for one publisher.

    Args:
        publisher: whose events they are.
        limits: its bounds.
        health: where errors are told.
        user: in whose name it publishes.
    """

    def __init__(self, publisher: Publisher, limits: Limits, health: Health, user: str) -> None:
        self._publisher = publisher
        self._limits = limits
        self._health = health
        self._user = user

    async def keep(self, connection: Connection, in_place: asyncio.Event) -> None:
        """Have a channel on ``connection`` until that ends.

        Args:
            connection: an open one.
            in_place: set once the channel is there.
        """
        backoff = retry.consumer()
        loop = asyncio.get_running_loop()
        self._publisher.connected()
        while connection.is_open:
            try:
                channel = await Channel.open(connection, self._limits, self._publisher.suspend)
                turn_on = partial(channel.raw.confirm_delivery, partial(self._settle, channel))
                await channel.request(turn_on, "turning confirms on")
            except DsmtError as error:
                self._health.last_error = error.message
                await asyncio.sleep(backoff.next_s())
                continue
            in_place.set()
            began = loop.time()
            self._publisher.open(partial(self._send, channel), channel.leave)
            ended = await channel.closed
            if loop.time() - began > _STABLE_S:
                backoff.reset()
            if not isinstance(ended, Denied):
                await asyncio.sleep(max(_AGAIN_S, backoff.next_s()))

    def _send(self, channel: Channel, entry: Entry) -> None:
        try:
            properties = persistent(self._user, entry.content_type, entry.ttl, kept=entry.kept)
            channel.publish(entry.exchange, entry.key, properties, entry.body)
        except AMQPError as error:
            # The channel is just ending; what it was given is sent again on the next.
            self._health.last_error = str(error) or type(error).__name__

    def _settle(self, channel: Channel, frame: Any) -> None:
        if channel.closed.done():
            # It was left: the numbers are those of another one by now.
            return
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._publisher.refuse()
        else:
            self._publisher.confirm(method.delivery_tag, multiple=method.multiple)
