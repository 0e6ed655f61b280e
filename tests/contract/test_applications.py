"""The user of the applications: outside DSMT's own name space it may speak and hear, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from broker.application import Application
from broker.bus import Bus
from broker.topology import DEAD_LETTERS, INGEST
from dsmt_core.channels import ROOT, Channel, heartbeat_channel
from dsmt_core.errors import Denied
from dsmt_core.rights import NODES, ORDERS, PSEPR
from tests.contract.terms import COMMAND, HOST, PINGER, SOON_S, STATUS, Make, heard

if TYPE_CHECKING:
    from tests.contract.conftest import Connect


async def test_one_application_hears_another(connect: Connect, planner: Bus, make: Make) -> None:
    one, two = await connect("application"), await connect("application")
    async with two.lease(PINGER, exchanges=(PSEPR,)) as lease:
        event = make(PINGER)
        await one.publish(event)
        delivery = await heard(lease)
        assert (delivery.event, delivery.user_id) == (event, "application")


async def test_an_application_says_much_by_one_call(connect: Connect, planner: Bus) -> None:
    me = Application(await connect("application"), "s1_mgr")
    async with planner.lease(PINGER) as lease:
        many = ({"count": str(number)} for number in range(100))
        await me.publish_all(str(PINGER), "hits", many, emit_rate=5)
        got = [(await heard(lease)).event for _ in range(100)]
    assert [event.pairs["count"] for event in got] == [str(number) for number in range(100)]
    assert {(event.field, event.emit_rate, event.instance) for event in got} == {("hits", 5, me.instance)}


@pytest.mark.parametrize("text", [str(STATUS), str(COMMAND), "/org/dsmt/", "/org/dsmt/ns/node/h/facts/"])
async def test_an_application_may_not_speak_where_dsmt_does(
    connect: Connect, planner: Bus, make: Make, text: str
) -> None:
    bus = await connect("application")
    with pytest.raises(Denied):
        await bus.publish(make(Channel(text)))
    await bus.publish(make(PINGER))


@pytest.mark.parametrize("exchange", [ORDERS, NODES])
async def test_an_application_gives_no_orders_and_no_heartbeats(
    connect: Connect, planner: Bus, make: Make, exchange: str
) -> None:
    bus = await connect("application")
    event = make(COMMAND if exchange == ORDERS else heartbeat_channel(HOST))
    with pytest.raises(Denied):
        await bus.publish(event, exchange=exchange)


@pytest.mark.parametrize("text", [ROOT, "/org/", "/org/dsmt/", str(STATUS)])
async def test_an_application_may_not_lease_what_dsmt_says(
    connect: Connect, planner: Bus, text: str
) -> None:
    bus = await connect("application")
    with pytest.raises(Denied):
        async with asyncio.timeout(SOON_S), bus.lease(Channel(text), exchanges=(PSEPR,)):
            pytest.fail("it was entered")


@pytest.mark.parametrize("exchange", [ORDERS, NODES])
async def test_an_application_hears_no_orders_and_no_heartbeats(
    connect: Connect, planner: Bus, exchange: str
) -> None:
    bus = await connect("application")
    with pytest.raises(Denied):
        async with asyncio.timeout(SOON_S), bus.lease(PINGER, exchanges=(exchange,)):
            pytest.fail("it was entered")


@pytest.mark.parametrize("queue", [DEAD_LETTERS, INGEST])
async def test_an_application_reads_no_queue_of_dsmt(connect: Connect, planner: Bus, queue: str) -> None:
    bus = await connect("application")
    with pytest.raises(Denied):
        async with asyncio.timeout(SOON_S), bus.consume(queue) as deliveries:
            await anext(deliveries)
