"""A management interface of the broker that keeps one waiting keeps no start and no order waiting."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from dsmt_core.names import Host, Slice
from planner.service import roster
from planner.service.means import Means
from planner.service.planner import Planner


# What hangs is a connection, so there has to be one: to a port of this machine that nobody else knows.
@pytest.mark.enable_socket
async def test_a_management_that_does_not_answer_delays_nothing(planner: Planner) -> None:
    patience = asyncio.Event()

    async def silent_one(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await patience.wait()
        writer.close()

    silent = await asyncio.start_server(silent_one, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    config = replace(
        planner.config,
        broker="amqp://planner:x@127.0.0.1:1/dsmt",
        operator_broker="",
        broker_management=f"http://a:b@127.0.0.1:{port}",
    )
    means = Means(planner.database, planner.ledger, planner.bus, planner.clock)
    made = roster.Roster(means, config, dict, planner.audit)
    began = time.monotonic()
    await made.load()
    await made.expect([(Slice("s"), Host("h"))])
    # Its own patience with each answer is 20 s.
    assert time.monotonic() - began < 15
    running = asyncio.create_task(made.run())
    patience.set()
    async with asyncio.timeout(15):
        while not made.trouble:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)
    assert "does not answer" in made.trouble
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    silent.close()
