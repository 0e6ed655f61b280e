"""The publisher's channel: in confirm mode, opened again when the broker closes it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

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
        self._publisher.connected()
        while connection.is_open:
            try:
                channel = await Channel.open(connection, self._limits, self._publisher.suspend)
                turn_on = partial(channel.raw.confirm_delivery, self._settle)
                await channel.request(turn_on, "turning confirms on")
            except DsmtError as error:
                self._health.last_error = error.message
                await asyncio.sleep(backoff.next_s())
                continue
            in_place.set()
            self._publisher.open(partial(self._send, channel))
            ended = await channel.closed
            if not isinstance(ended, Denied):
                await asyncio.sleep(backoff.next_s())

    def _send(self, channel: Channel, entry: Entry) -> None:
        try:
            properties = persistent(self._user, entry.content_type, entry.ttl, kept=entry.kept)
            channel.publish(entry.exchange, entry.key, properties, entry.body)
        except AMQPError as error:
            # The channel is just ending; what it was given is sent again on the next.
            self._health.last_error = str(error) or type(error).__name__

    def _settle(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._publisher.refuse(method.delivery_tag, multiple=method.multiple)
        else:
            self._publisher.confirm(method.delivery_tag, multiple=method.multiple)
