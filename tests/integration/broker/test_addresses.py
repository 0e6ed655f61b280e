"""One URL with several hosts: whichever of them serves is found, and its successor within seconds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress

import pytest

import broker
from broker.address import parse
from broker.bus import Bus, Limits, Link
from broker.server.ports import HeldPort
from broker.server.private import PrivateBroker
from dsmt_core.channels import Channel
from dsmt_core.errors import Denied, Invalid, Unavailable
from dsmt_core.events import Event
from tests.contract.gate import Gate
from tests.integration.broker.conftest import LIMITS, Connect

PINGER = Channel("/com/example/pinger/")
LONG_S = 60.0


@pytest.fixture
async def gates(server: PrivateBroker) -> AsyncIterator[list[Gate]]:
    """Three places of one broker."""
    async with AsyncExitStack() as stack:
        made = [Gate(server.port) for _ in range(3)]
        for gate in made:
            await gate.open()
            stack.push_async_callback(gate.shut)
        yield made


def naming(url: str, *places: str) -> str:
    """``url`` with other hosts."""
    address = parse(url)
    return url.replace(str(address.endpoints[0]), ",".join(places))


async def test_the_one_host_that_serves_is_found_at_once(server: PrivateBroker, connect: Connect) -> None:
    # Nobody listens there, and nobody can while they are held.
    closed = [HeldPort() for _ in range(5)]
    dead = [
        f"{host}:{port.number}" for host, port in zip([*["127.0.0.1"] * 4, "[::1]"], closed, strict=True)
    ]
    url = naming(server.planner_url, *dead, f"127.0.0.1:{server.port}")
    # Within a round nobody waits: who did would wait longer than `connect`.
    bus = await connect(url, Limits(retry_first_s=1_000.0, retry_most_s=1_000.0))
    assert bus.health.link is Link.CONNECTED


async def test_a_host_that_is_silent_is_passed_over(server: PrivateBroker, connect: Connect) -> None:
    # A full backlog: the kernel takes no connection any more, as if the host were cut off.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
        url = naming(server.planner_url, *[f"127.0.0.1:{port}"] * 3, f"127.0.0.1:{server.port}")
        bus = await connect(url, Limits(reach_s=0.2, connect_s=10.0))
        assert bus.health.link is Link.CONNECTED
        for one in waiting:
            one.close()


async def test_when_its_host_goes_the_next_one_serves(
    server: PrivateBroker, gates: list[Gate], planner: Bus, connect: Connect, make: Callable[..., Event]
) -> None:
    url = naming(server.operator_url, *[f"127.0.0.1:{gate.port}" for gate in gates])
    bus = await connect(url, Limits())
    async with bus.lease(PINGER) as lease:
        for gone in gates[:2]:
            await gone.shut()
            event = make(PINGER)
            async with asyncio.timeout(LONG_S):
                await bus.post(event)
                while (await anext(lease)).event != event:
                    pass
    assert bus.health.dropped == 0


async def test_a_wrong_password_is_told_whatever_the_number_of_hosts(server: PrivateBroker) -> None:
    places = [f"127.0.0.1:{server.port}"] * 2
    address = parse(server.planner_url)
    url = naming(server.planner_url.replace(address.login, "planner:wrong"), *places)
    bus = broker.connect(url, limits=LIMITS, name="test")
    with pytest.raises(Denied):
        await bus.start(wait_s=LONG_S)
    await bus.close()


async def test_who_wants_tls_of_a_broker_that_has_none_is_told_so(server: PrivateBroker) -> None:
    bus = broker.connect(server.planner_url.replace("amqp:", "amqps:"), limits=LIMITS, name="test")
    told = f"127.0.0.1:{server.port} does not speak TLS"
    async with asyncio.timeout(LONG_S):
        # It goes on trying, so an attempt that was not answered in time is followed by another.
        while True:
            with pytest.raises(Unavailable) as refused:
                await bus.start(wait_s=1.0)
            if told in str(refused.value):
                break
    await bus.close()


async def test_a_url_that_is_not_legal_is_refused_before_anything_is_sent() -> None:
    for url in ("amqp://u:hidden@mq1,,mq2/", "amqps://u:hidden@mq1:x/", "amqp://u:hidden@mq/?odd=1"):
        with pytest.raises(Invalid) as told:
            broker.connect(url)
        assert "hidden" not in f"{told.value} {told.value.hint}"
