"""Making exchanges, queues and bindings: sent without waiting for each, and awaited together.

The exchanges are made once for each connection, and again when one turns out to be missing: to make them
for each node that joins would cost the broker more than the node's own queue.

Each time a channel of its own, since a refusal (406: a queue with other arguments) closes the channel. A
queue that lives on a host of a cluster that is down gets a stand-in until that is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from broker.bus import Limits
from broker.rabbit.channel import Channel
from broker.rabbit.connection import Connection
from broker.standins import by_queue, called, has_one_host, is_down, names
from broker.topology import EXCHANGES, FEEDS, Binding, Queue
from dsmt_core.errors import NotFound, Unavailable
from dsmt_core.rights import HISTORY

# A third of all queues may live on the host that is down: a channel each, so many at a time.
_AT_A_TIME: Final = 50
# How many are given back in one go: declaring is not to take long.
_RETURNED: Final = 200


class Declaring:
    """Makes queues for one bus, and remembers which have a stand-in; see `broker.standins`.

    Args:
        limits: its bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stand_ins: dict[str, str] = {}
        self._laid: Connection | None = None

    async def declare(
        self, connection: Connection, queues: Sequence[Queue], bindings: Sequence[Binding]
    ) -> bool:
        """See `broker.bus.Bus.declare`; whether an exchange was missing."""
        missing = False
        if not queues or self._laid is not connection:
            missing = await self._lay(connection)
        try:
            await self._make(connection, queues, bindings)
        except NotFound as error:
            if is_down(error.message):
                raise
            # An exchange was deleted since.
            missing = await self._lay(connection)
            await self._make(connection, queues, bindings)
        return missing

    async def _lay(self, connection: Connection) -> bool:
        """Make the exchanges; whether one was missing."""
        missing = await self._is_missing_one(connection)
        await self._on_channel(connection, _lay, "declaring")
        self._laid = connection
        return missing

    async def _is_missing_one(self, connection: Connection) -> bool:
        """Whether one of the exchanges is not there; making it would not tell."""
        try:
            await self._on_channel(connection, _look, "looking for the exchanges")
        except NotFound:
            return True
        return False

    async def _make(
        self, connection: Connection, queues: Sequence[Queue], bindings: Sequence[Binding]
    ) -> None:
        """Make queues and bindings, under another name where a host is down."""
        own = by_queue(bindings)
        named = [
            called(queue, own.get(queue.name, []), self._stand_ins.get(queue.name, queue.name))
            for queue in queues
        ]
        try:
            await self._at_once(
                connection, [one for one, _ in named], [one for _, some in named for one in some]
            )
        except NotFound as error:
            if not is_down(error.message):
                raise
            await self._one_by_one(connection, queues, own)
        else:
            await self._return(connection, queues, own)

    async def renew(
        self, connection: Connection, queues: Sequence[Queue], bindings: Sequence[Binding]
    ) -> None:
        """See `broker.bus.Bus.renew`."""
        await self._at_once(connection, queues, bindings, anew=True)

    async def delete_queue(self, connection: Connection, queue: str) -> None:
        """See `broker.bus.Bus.delete_queue`; with its stand-in."""
        stand_in = self._stand_ins.pop(queue, None)
        for name in (queue, stand_in) if stand_in else (queue,):
            channel = await Channel.open(connection, self._limits)
            delete = partial(channel.raw.queue_delete, name)
            try:
                await channel.request(partial(_calling, delete), f"deleting {name}")
            except NotFound:
                continue
            finally:
                await channel.close()

    async def _at_once(
        self,
        connection: Connection,
        queues: Sequence[Queue],
        bindings: Sequence[Binding],
        *,
        anew: bool = False,
    ) -> None:
        def send(raw: Any, callback: Any) -> None:
            for queue in queues if anew else ():
                raw.queue_delete(queue.name)
            _send(raw, queues, bindings, callback)

        await self._on_channel(connection, send, "declaring")

    async def _on_channel(
        self, connection: Connection, send: Callable[[Any, Any], None], what: str
    ) -> None:
        """Have ``send`` ask for something on a channel of its own, until the last of it is answered."""
        channel = await Channel.open(connection, self._limits)
        try:
            await channel.request(partial(send, channel.raw), what)
        finally:
            await channel.close()

    async def _one_by_one(
        self, connection: Connection, queues: Sequence[Queue], own: Mapping[str, Sequence[Binding]]
    ) -> None:
        """Make each queue, some at a time; for one whose host is down a stand-in."""
        for first in range(0, len(queues), _AT_A_TIME):
            some = queues[first : first + _AT_A_TIME]
            await asyncio.gather(
                *(self._under_some_name(connection, queue, own.get(queue.name, ())) for queue in some)
            )

    async def _under_some_name(
        self, connection: Connection, queue: Queue, bindings: Sequence[Binding]
    ) -> None:
        for name in names(queue.name) if has_one_host(queue) else [queue.name]:
            one, renamed = called(queue, bindings, name)
            try:
                await self._at_once(connection, [one], renamed)
            except NotFound as error:
                if not is_down(error.message):
                    raise
                continue
            if name != queue.name:
                self._stand_ins[queue.name] = name
            return
        raise Unavailable(
            f"the hosts of {queue.name} and of its stand-ins are down", hint="start the broker's hosts"
        )

    async def _return(
        self, connection: Connection, queues: Sequence[Queue], own: Mapping[str, Sequence[Binding]]
    ) -> None:
        """Have the queues themselves again, until one is met whose host is still down."""
        asked = {queue.name: queue for queue in queues}
        away = [asked[name] for name in self._stand_ins if name in asked]
        for queue in away[:_RETURNED]:
            stand_in = self._stand_ins.pop(queue.name)
            try:
                await self._at_once(connection, [queue], own.get(queue.name, ()))
            except NotFound:
                # Behind the others, which may live on another host and are met first the next time.
                self._stand_ins[queue.name] = stand_in
                return
            await self.delete_queue(connection, stand_in)


def _calling(request: Callable[..., Any], callback: Any) -> None:
    request(callback=callback)


def _look(raw: Any, callback: Any) -> None:
    *others, last = (*EXCHANGES, HISTORY)
    for exchange in others:
        raw.exchange_declare(exchange, passive=True)
    raw.exchange_declare(last, passive=True, callback=callback)


def _lay(raw: Any, callback: Any) -> None:
    """All without an answer, and one with: what is refused on the way closes the channel instead."""
    for exchange in EXCHANGES:
        raw.exchange_declare(exchange, "topic", durable=True)
    raw.exchange_declare(HISTORY, "headers", durable=True)
    for exchange in FEEDS:
        raw.exchange_bind(HISTORY, exchange, "#")
    raw.exchange_declare(EXCHANGES[0], passive=True, callback=callback)


def _send(raw: Any, queues: Sequence[Queue], bindings: Sequence[Binding], callback: Any) -> None:
    """As `_lay`."""
    for queue in queues:
        raw.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    for binding in bindings:
        # pika's bindings without a callback are sent without waiting for an answer, too.
        raw.queue_bind(binding.queue, binding.exchange, binding.key, binding.arguments)
    raw.exchange_declare(EXCHANGES[0], passive=True, callback=callback)
