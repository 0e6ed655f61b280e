"""Attempts to connect: given up half-way without a trace or a socket that is left, and given more time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

import broker
from broker import address
from broker.bus import Limits, Link
from broker.rabbit.connection import Connection, parameters
from broker.server.private import PrivateBroker

SOON_S = 60.0
SLOWNESS_S = 2.0
LIMITS = Limits(connect_s=1.0, connect_most_s=1.0)


async def test_one_that_is_given_up_while_the_name_is_looked_up_ends_by_itself() -> None:
    ended, failed = asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failed.append(context))

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        attempt = asyncio.create_task(Connection.open(_to(port), LIMITS.connect_s))
        await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait({attempt}, timeout=SOON_S)
        assert attempt.cancelled()
        async with asyncio.timeout(SOON_S):
            await ended.wait()
    await asyncio.sleep(0)
    assert failed == []


async def test_a_broker_that_takes_longer_than_an_attempt_is_given_more_time(rabbit: PrivateBroker) -> None:
    async with await asyncio.start_server(partial(_slowly, rabbit.port), "127.0.0.1", 0) as server:
        url = rabbit.node_url.replace(str(rabbit.port), str(server.sockets[0].getsockname()[1]))
        limits = Limits(connect_s=SLOWNESS_S / 4, retry_most_s=0.1)
        async with broker.connected(url, limits=limits, wait_s=SOON_S) as bus:
            assert bus.health.link is Link.CONNECTED


async def _slowly(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A broker that is too busy to greet: it accepts, and lets each wait for its first word."""
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                await asyncio.sleep(delay_s)
                delay_s = 0.0
                sink.write(data)
                await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, up_writer, 0.0), pump(up_reader, writer, SLOWNESS_S))


def _to(port: int) -> Any:
    where = address.parse(f"amqp://user:secret@127.0.0.1:{port}/dsmt")
    return parameters(where, where.endpoints[0], LIMITS, "test")
