"""Attempts to connect that are given up half-way: pika must end them without a trace and keep no socket."""

from __future__ import annotations

import asyncio
from typing import Any

from broker import address
from broker.bus import Limits
from broker.rabbit.connection import Connection, parameters

SOON_S = 60.0
LIMITS = Limits(connect_s=1.0)


async def test_one_that_is_given_up_while_the_name_is_looked_up_ends_by_itself() -> None:
    ended, failed = asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failed.append(context))

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        attempt = asyncio.create_task(Connection.open(_to(port), LIMITS))
        await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait({attempt}, timeout=SOON_S)
        assert attempt.cancelled()
        async with asyncio.timeout(SOON_S):
            await ended.wait()
    await asyncio.sleep(0)
    assert failed == []


def _to(port: int) -> Any:
    where = address.parse(f"amqp://user:secret@127.0.0.1:{port}/dsmt")
    return parameters(where, where.endpoints[0], LIMITS, "test")
