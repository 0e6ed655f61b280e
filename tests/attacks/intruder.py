"""An attacker with a party's URL and a client of its own: only the broker stands in its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPError, ChannelClosedByBroker, UnroutableError

import broker
from broker.address import parse
from dsmt_core.errors import Denied

DONE = 0
_SOON_S = 20.0
Try = Callable[[BlockingChannel], Any]


class Intruder:
    """Tries things, each on a channel of its own, since the broker closes one that it refuses."""

    def __init__(self, url: str) -> None:
        address = parse(url)
        self._connection = BlockingConnection(pika.URLParameters(address.url(address.endpoints[0])))

    def tries(self, attempt: Try) -> int:
        """The broker's code of refusal, or `DONE`."""
        channel = self._connection.channel()
        try:
            channel.confirm_delivery()
            attempt(channel)
        except ChannelClosedByBroker as error:
            return int(error.reply_code)
        except UnroutableError:
            return DONE
        else:
            return DONE
        finally:
            if channel.is_open:
                channel.close()

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        channel = self._connection.channel()
        channel.confirm_delivery()
        yield channel
        if channel.is_open:
            channel.close()

    def alive(self) -> bool:
        """Whether the broker still has it."""
        try:
            self._connection.process_data_events(time_limit=0)
        except AMQPError:
            return False
        return bool(self._connection.is_open)

    def close(self) -> None:
        if self._connection.is_open:
            self._connection.close()


@contextmanager
def intruding(url: str) -> Iterator[Intruder]:
    """An attacker, until the block ends."""
    made = Intruder(url)
    try:
        yield made
    finally:
        made.close()


async def let_in(url: str) -> bool:
    """Whether the broker lets somebody in with ``url``."""
    bus = broker.connect(url)
    try:
        await bus.start(wait_s=_SOON_S)
    except Denied:
        return False
    finally:
        await bus.close()
    return True


def says(exchange: str, key: str, body: bytes = b"x", **properties: Any) -> Try:
    """An attempt to publish; ``mandatory``, so that what no queue takes is known."""
    told = pika.BasicProperties(**properties)
    return lambda channel: channel.basic_publish(exchange, key, body, told, mandatory=True)


def binds(queue: str, exchange: str, key: str) -> Try:
    """An attempt to bind a queue of one's own."""
    return lambda channel: channel.queue_bind(queue, exchange, key)


def purges(queue: str) -> Try:
    """An attempt to empty a queue."""
    return lambda channel: channel.queue_purge(queue)


def deletes(queue: str) -> Try:
    """An attempt to delete a queue."""
    return lambda channel: channel.queue_delete(queue)


def makes(exchange: str) -> Try:
    """An attempt to make an exchange."""
    return lambda channel: channel.exchange_declare(exchange, "topic")


def declares(queue: str, **arguments: Any) -> Try:
    """An attempt to make a queue."""
    told = {"x-expires": 60_000} | arguments
    return lambda channel: channel.queue_declare(queue, durable=True, arguments=told)


def reads(queue: str) -> Try:
    """An attempt to take a message out of a queue."""
    return lambda channel: channel.basic_get(queue, auto_ack=True)


def subscribes(queue: str, **arguments: Any) -> Try:
    """An attempt to consume."""

    def attempt(channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=1)
        tag = channel.basic_consume(queue, lambda *_: None, arguments=arguments)
        channel.basic_cancel(tag)

    return attempt
