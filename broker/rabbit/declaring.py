"""Making exchanges, queues and bindings: sent without waiting for each, and awaited together.

A channel of its own, since a refusal (406: a queue with other arguments) closes the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broker.bus import Limits
from broker.rabbit.channel import Channel
from broker.rabbit.connection import Connection
from broker.topology import EXCHANGES, FEEDS, Binding, Queue
from dsmt_core.errors import NotFound
from dsmt_core.rights import HISTORY


async def declare(
    connection: Connection,
    limits: Limits,
    queues: Sequence[Queue],
    bindings: Sequence[Binding],
    *,
    anew: bool = False,
) -> None:
    """See `broker.bus.Bus.declare`; ``anew``: `broker.bus.Bus.renew`."""
    channel = await Channel.open(connection, limits)

    def send(callback: Any) -> None:
        for queue in queues if anew else ():
            channel.raw.queue_delete(queue.name)
        _send(channel.raw, queues, bindings, callback)

    try:
        await channel.request(send, "declaring")
    finally:
        await channel.close()


async def is_missing_one(connection: Connection, limits: Limits) -> bool:
    """Whether one of the exchanges is not there; making it would not tell."""
    channel = await Channel.open(connection, limits)

    def send(callback: Any) -> None:
        *others, last = (*EXCHANGES, HISTORY)
        for exchange in others:
            channel.raw.exchange_declare(exchange, passive=True)
        channel.raw.exchange_declare(last, passive=True, callback=callback)

    try:
        await channel.request(send, "looking for the exchanges")
    except NotFound:
        return True
    finally:
        await channel.close()
    return False


async def delete_queue(connection: Connection, limits: Limits, queue: str) -> None:
    """See `broker.bus.Bus.delete_queue`."""
    channel = await Channel.open(connection, limits)
    try:
        await channel.request(
            lambda callback: channel.raw.queue_delete(queue, callback=callback), f"deleting {queue}"
        )
    except NotFound:
        return
    finally:
        await channel.close()


def _send(raw: Any, queues: Sequence[Queue], bindings: Sequence[Binding], callback: Any) -> None:
    """All without an answer, and one with: what is refused on the way closes the channel instead."""
    for exchange in EXCHANGES:
        raw.exchange_declare(exchange, "topic", durable=True)
    raw.exchange_declare(HISTORY, "headers", durable=True)
    for exchange in FEEDS:
        raw.exchange_bind(HISTORY, exchange, "#")
    for queue in queues:
        raw.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    for binding in bindings:
        # pika's bindings without a callback are sent without waiting for an answer, too.
        raw.queue_bind(binding.queue, binding.exchange, binding.key, binding.arguments)
    raw.exchange_declare(EXCHANGES[0], "topic", durable=True, callback=callback)
