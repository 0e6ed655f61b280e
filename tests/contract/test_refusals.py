"""Promise 6: what is not believed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import broker
from broker.bus import Bus
from dsmt_core.channels import (
    Channel,
    command_channel,
    heartbeat_channel,
)
from dsmt_core.errors import Full
from dsmt_core.names import DEPLOYMENT_AGENT, Host
from dsmt_core.rights import NODES, ORDERS
from dsmt_core.wire import MSGPACK, encode
from tests.contract.terms import COMMAND, HOST, SLICE, SOON_S, Make, heard

if TYPE_CHECKING:
    from tests.contract.conftest import Place


async def test_what_cannot_be_believed_goes_to_the_dead_letters_and_the_rest_goes_on(
    place: Place, planner: Bus, make: Make, orders: str
) -> None:
    good, forged = make(COMMAND), make(command_channel(SLICE, DEPLOYMENT_AGENT, Host("other")))
    async with planner.consume(orders, under=COMMAND) as deliveries:
        await place.inject("planner", (ORDERS, good.key), b"\xc1 not msgpack", MSGPACK)
        await place.inject("planner", (ORDERS, good.key), encode(good), "text/plain")
        await place.inject("planner", (ORDERS, good.key), encode(forged), MSGPACK)
        await planner.publish(good, exchange=ORDERS)
        assert (await heard(deliveries)).event == good
    letters = await place.dead_letters(3)
    reasons = [headers["reason"] for headers, _ in letters]
    assert len(reasons) == 3
    assert "msgpack" in reasons[0]
    assert "text/plain" in reasons[1]
    assert "routing key" in reasons[2]
    assert letters[0][1] == b"\xc1 not msgpack"
    assert {headers["routing-key"] for headers, _ in letters} == {good.key}
    assert {headers["exchange"] for headers, _ in letters} == {ORDERS}
    assert planner.health.refused == 3


async def test_a_user_who_may_not_speak_there_is_not_heard(place: Place, planner: Bus, make: Make) -> None:
    orders = make(Channel("/org/dsmt/ns/deployment/s1/other/"))
    async with planner.lease() as lease:
        # The planner may not send heartbeats, and nothing but the receiver's check says so.
        beat = make(heartbeat_channel(HOST), "heartbeat")
        async with planner.lease(exchanges=(NODES,)) as beats:
            await place.inject("planner", (NODES, beat.key), encode(beat), MSGPACK)
            letters = await place.dead_letters(1)
            assert "may not speak" in letters[0][0]["reason"]
            assert planner.health.refused == 1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(beats), 0.2)
        await planner.publish(orders)
        assert (await heard(lease)).event == orders


async def test_how_large_an_event_may_be_is_an_option_of_sender_and_receiver(
    place: Place, planner: Bus, make: Make
) -> None:
    channel = Channel("/org/dsmt/ns/deployment/s1/other/")
    small, large = make(channel, value="x"), make(channel, value="x" * (3 << 19))
    with pytest.raises(Full, match="above the limit of 1048576"):
        await planner.publish(large)
    generous = broker.connect(f"{place.url('planner')}?event_bytes={2 << 20}")
    try:
        await generous.start(wait_s=SOON_S)
        async with planner.lease(channel) as strict, generous.lease(channel) as lease:
            await generous.publish(large)
            await generous.publish(small)
            assert [(await heard(lease)).event for _ in range(2)] == [large, small]
            # One who allows less refuses it, says why, and hears what follows.
            assert (await heard(strict)).event == small
    finally:
        await generous.close()
    ((headers, body),) = await place.dead_letters(1)
    assert "above the limit of 1048576" in headers["reason"]
    assert body == encode(large, most=2 << 20)
