"""What people and senders of nonsense do to a broker that runs well; see `rig` for what holds then."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pika
import pytest

from broker.access import PERMISSIONS, TOPIC_PERMISSIONS
from broker.bus import Limits, Link
from broker.server.private import PrivateBroker
from broker.server.settings import VHOST
from dsmt_core.events import Doubles, Event, Sender
from dsmt_core.rights import OPERATOR, PSEPR
from dsmt_core.wire import MSGPACK, encode
from tests.integration.broker.conftest import LIMITS, Connect
from tests.integration.broker.rig import PINGER, QUEUE, Rig, until

# Leases look often, so that the test is short; the planner's upkeep looks every 5 s, as always.
QUICK = replace(LIMITS, renew_s=1.0)
PATIENCE_S = 60.0


@pytest.fixture
async def rig(server: PrivateBroker) -> AsyncIterator[Rig]:
    async with Rig(server.url, QUICK) as made:
        yield made


@pytest.fixture
def rights(server: PrivateBroker) -> Iterator[PrivateBroker]:
    """The broker, with the operators' rights and password as they were when the test has ended."""
    yield server
    give_rights(server)
    give_password(server, server.url(OPERATOR).split(":")[2].split("@")[0])


def give_rights(server: PrivateBroker) -> None:
    permission = next(each for each in PERMISSIONS if each.user == OPERATOR)
    body = {"configure": permission.configure, "write": permission.write, "read": permission.read}
    server.management.request("PUT", f"/permissions/{VHOST}/{OPERATOR}", body)


def give_password(server: PrivateBroker, password: str) -> None:
    server.management.request("PUT", f"/users/{OPERATOR}", {"password": password, "tags": ""})


async def close_connections(server: PrivateBroker, rig: Rig, user: str) -> None:
    """Close those of ``user``, as an operator does; the interface may see them some seconds late."""
    names = ("worker",) if user == "node" else ("speaker", "hearer")
    before = {name: rig.buses[name].health.connects for name in names}

    def closed() -> bool:
        buses = {name: rig.buses[name].health for name in names}
        return all(
            health.connects > before[name] or health.link is Link.AWAY for name, health in buses.items()
        )

    async with asyncio.timeout(PATIENCE_S):
        while not closed():
            await asyncio.to_thread(server.management.close_connections, user)
            await asyncio.sleep(0.2)


def as_planner(server: PrivateBroker, work: Callable[[Any], object]) -> None:
    """Do something on a channel of the planner's, behind the back of its bus."""
    connection = pika.BlockingConnection(pika.URLParameters(server.planner_url))
    try:
        work(connection.channel())
    finally:
        connection.close()


async def test_the_queue_is_deleted_under_its_consumer(server: PrivateBroker, rig: Rig) -> None:
    first = rig.made
    async with rig.fault("queue deleted under the consumer"):
        await asyncio.to_thread(as_planner, server, lambda channel: channel.queue_delete(QUEUE))
    # Until the planner has declared it again there is nowhere for events to go.
    gone = range(first, rig.made + 1)
    await until(lambda: rig.made > gone.stop + 10)
    await rig.holds(but=gone)


@pytest.mark.parametrize("exchange", ["psepr", "psepr.leases"])
async def test_an_exchange_is_deleted(server: PrivateBroker, rig: Rig, exchange: str) -> None:
    first = rig.made
    async with rig.fault(f"exchange {exchange} deleted"):
        await asyncio.to_thread(as_planner, server, lambda channel: channel.exchange_delete(exchange))
        if exchange == PSEPR:
            await until(lambda: rig.lease.told_lost > 0 or rig.buses["hearer"].health.lost > 0)
    gone = range(first, rig.made + 1) if exchange == PSEPR else range(0)
    await until(lambda: rig.made > gone.stop + 10)
    await rig.holds(but=gone)
    assert rig.ends == []


async def test_the_connections_are_closed_by_an_operator(server: PrivateBroker, rig: Rig) -> None:
    for user in (OPERATOR, "node"):
        async with rig.fault(f"connections of {user} closed by an operator"):
            await close_connections(server, rig, user)
    await rig.holds()


async def test_the_password_is_changed_and_is_back(rights: PrivateBroker, rig: Rig) -> None:
    password = rights.url(OPERATOR).split(":")[2].split("@")[0]
    async with rig.fault("password changed"):
        await asyncio.to_thread(give_password, rights, "another")
        await close_connections(rights, rig, OPERATOR)
        await until(lambda: "refused" in rig.buses["speaker"].health.last_error)
        await asyncio.to_thread(give_password, rights, password)
    await rig.holds()


async def test_a_permission_is_withdrawn_and_given_back(rights: PrivateBroker, rig: Rig) -> None:
    path = f"/permissions/{VHOST}/{OPERATOR}"
    async with rig.fault("permission withdrawn"):
        await asyncio.to_thread(rights.management.request, "DELETE", path)
        # The broker does not take it from channels that are open; the next ones are told at once.
        await close_connections(rights, rig, OPERATOR)
        await until(lambda: "refused" in rig.buses["speaker"].health.last_error)
        await asyncio.to_thread(give_rights, rights)
        for topic in (each for each in TOPIC_PERMISSIONS if each.user == OPERATOR):
            body = {"exchange": topic.exchange, "write": topic.write, "read": topic.read}
            path_ = f"/topic-permissions/{VHOST}/{OPERATOR}"
            await asyncio.to_thread(rights.management.request, "PUT", path_, body)
    await rig.holds()


async def test_poison_and_errors_of_the_channel(server: PrivateBroker, rig: Rig) -> None:
    def inject(user: str, key: str, body: bytes) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(server.url(user)))
        try:
            properties = pika.BasicProperties(content_type=MSGPACK, user_id=user)
            connection.channel().basic_publish(PSEPR, key, body, properties)
        finally:
            connection.close()

    async with rig.fault("poison, and channels closed by the broker"):
        for body in (b"\xc1", b"", b"\x81" * 10_000, b"\xff" * 100):
            await asyncio.to_thread(inject, OPERATOR, "com.example.pinger", body)
        # A queue that is not there closes the channel on which it is asked for.
        for name in ("hearer", "speaker"):
            for raw in list(rig.buses[name]._connection.raw._channels.values()):  # type: ignore[attr-defined]
                raw.queue_declare("lease.operator.nowhere", passive=True)
    await until(lambda: rig.buses["hearer"].health.refused >= 4)
    await rig.holds()


async def test_a_subscriber_ten_times_too_slow(server: PrivateBroker, rig: Rig, connect: Connect) -> None:
    bus = await connect(server.url(OPERATOR), Limits(lease_buffer=20))
    heard: list[int] = []
    lost = 0
    async with (
        rig.fault("a subscriber ten times too slow"),
        asyncio.timeout(120),
        bus.lease(PINGER) as lease,
    ):
        while lost <= 100:
            delivery = await anext(lease)
            heard.append(delivery.event.seq)
            lost += delivery.lost
            await asyncio.sleep(0.2)
    assert heard == sorted(heard)
    assert len(heard) + lost <= rig.made
    await rig.holds()


async def test_what_comes_again_and_out_of_order_is_noticed(
    server: PrivateBroker, rig: Rig, connect: Connect
) -> None:
    sender = Sender("other", "other/1", uuid.uuid4().hex)

    def event() -> Event:
        return sender.event(PINGER, "seconds", now=time.time(), id_=uuid.uuid4().hex)

    events = [event() for _ in range(20)]
    bus = await connect(server.url(OPERATOR))
    doubles, accepted = Doubles(), []
    async with bus.lease(PINGER) as lease:
        order = [*range(20), *range(10, 20), 5, *range(20)]

        def inject() -> None:
            connection = pika.BlockingConnection(pika.URLParameters(server.url(OPERATOR)))
            channel: Any = connection.channel()
            properties = pika.BasicProperties(content_type=MSGPACK, user_id=OPERATOR)
            for number in order:
                channel.basic_publish(PSEPR, events[number].key, encode(events[number]), properties)
            connection.close()

        await asyncio.to_thread(inject)
        last = event()
        await bus.publish(last)
        async for delivery in lease:
            if delivery.event.service == "other" and doubles.is_new(delivery.event):
                accepted.append(delivery.event)
            if delivery.event == last:
                break
    assert accepted == [*events, last]
    # A reader that is interrupted with much unacknowledged gets it again, and notices that.
    async with rig.fault("redelivery"):
        await close_connections(server, rig, "node")
    await rig.holds()
