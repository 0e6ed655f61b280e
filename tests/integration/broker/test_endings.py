"""The broker tells which connections end, to the planner alone, and without it everything else works."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator

import pytest

import broker
from broker.bus import Bus, Limits
from broker.endings import MOST, Ended, Heard, node_connection, node_of
from broker.server.private import PrivateBroker
from broker.server.settings import VHOST
from dsmt_core.errors import Denied, Unavailable
from dsmt_core.names import Host
from dsmt_core.rights import APPLICATION, NODE_USER, OPERATOR, PLANNER

LIMITS = Limits(retry_first_s=0.05, retry_most_s=0.5, connect_s=10.0, close_s=3.0)
HOST = Host("n1.example.org")
WITHIN_S = 30.0


async def connected(rabbit: PrivateBroker, user: str, *, vhost: str = VHOST, name: str = "test") -> Bus:
    bus = broker.connect(rabbit.url(user, vhost), limits=LIMITS, name=name)
    await bus.start(wait_s=WITHIN_S)
    return bus


@pytest.fixture
def elsewhere(rabbit: PrivateBroker) -> Iterator[str]:
    """A virtual host in which the broker tells nothing."""
    name = f"endings-{secrets.token_hex(4)}"
    rabbit.management.make_vhost(name)
    yield name
    rabbit.management.delete_vhost(name)


async def test_a_connection_that_ends_is_told_with_its_name_at_once(rabbit: PrivateBroker) -> None:
    planner = await connected(rabbit, PLANNER)
    node = await connected(rabbit, NODE_USER, name=node_connection(HOST))
    try:
        async with planner.endings() as endings, asyncio.timeout(WITHIN_S):
            began = time.monotonic()
            await node.close()
            async for ended in endings:
                if node_of(ended) == HOST:
                    break
        assert time.monotonic() - began < WITHIN_S
    finally:
        await node.close()
        await planner.close()


async def test_it_is_heard_again_after_the_planner_was_cut_off(rabbit: PrivateBroker) -> None:
    planner = await connected(rabbit, PLANNER, name="to be cut off")
    try:
        async with planner.endings() as endings, asyncio.timeout(2 * WITHIN_S):
            again = asyncio.Event()

            async def note() -> None:
                again.set()

            planner.on_connected(note)
            planner._connection.raw.close()  # type: ignore[attr-defined]
            await again.wait()
            node = await connected(rabbit, NODE_USER, name=node_connection(HOST))
            await node.close()
            async for ended in endings:
                if node_of(ended) == HOST:
                    break
    finally:
        await planner.close()


@pytest.mark.parametrize("user", [OPERATOR, NODE_USER, APPLICATION])
async def test_nobody_but_the_planner_hears_it(rabbit: PrivateBroker, user: str) -> None:
    bus = await connected(rabbit, user)
    try:
        with pytest.raises((Denied, Unavailable)):
            async with bus.endings():
                pass
    finally:
        await bus.close()


async def test_a_broker_that_does_not_tell_is_said_plainly_and_the_bus_goes_on(
    rabbit: PrivateBroker, elsewhere: str
) -> None:
    planner = await connected(rabbit, PLANNER, vhost=elsewhere)
    try:
        with pytest.raises(Denied, match="does not tell which connections end") as refused:
            async with planner.endings():
                pass
        assert "rabbitmq_event_exchange" in refused.value.hint
        await planner.declare([], [])
    finally:
        await planner.close()


async def test_the_broker_inside_the_process_has_no_connections() -> None:
    bus = broker.connect(f"memory://planner@{secrets.token_hex(4)}")
    await bus.start(wait_s=5)
    with pytest.raises(Denied, match="does not tell"):
        async with bus.endings():
            pass
    await bus.close()


async def test_what_a_slow_reader_does_not_take_is_bounded_and_an_end_is_passed_on() -> None:
    heard = Heard()
    for number in range(MOST + 10):
        heard.put(Ended(str(number)))
    heard.end(Denied("over"))
    names = [(await anext(heard)).name for _ in range(MOST)]
    assert names == [str(number) for number in range(10, MOST + 10)]
    with pytest.raises(Denied):
        await anext(heard)


def test_only_container_managers_have_such_names() -> None:
    assert node_of(Ended(node_connection(HOST))) == HOST
    for name in ("", "planner", "dsmt-agent n1.example.org", f"x{node_connection(HOST)}"):
        assert node_of(Ended(name)) is None
