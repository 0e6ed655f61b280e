"""The places in which the contract is tested: a real RabbitMQ, and the broker inside the process."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol

import pika
import pytest

import broker
from broker.bus import Bus, Limits
from broker.embedded.engine import call, enter, leave
from broker.reading import Message
from broker.server.private import PrivateBroker
from broker.topology import DEAD_LETTERS, Binding, Queue, planner_topology
from dsmt_core.channels import Channel, agent_orders_binding
from dsmt_core.events import Event, Sender
from dsmt_core.rights import DEAD, ORDERS
from tests.contract.gate import Gate
from tests.contract.terms import HOST, SLICE, SOON_S, Make
from tests.rabbitmq import private_rabbitmq

# Quick enough for tests, and still longer than anything that goes well.
LIMITS = Limits(retry_first_s=0.05, retry_most_s=0.5, confirm_s=15.0, connect_s=5.0, close_s=3.0)


class Place(Protocol):
    """Where a bus can be connected to, and what a test can do there behind its back."""

    def url(self, user: str) -> str: ...

    async def cut(self) -> None: ...

    async def restore(self) -> None: ...

    async def inject(self, user: str, where: tuple[str, str], body: bytes, content_type: str) -> None: ...

    async def delete_exchange(self, name: str) -> None: ...

    async def dead_letters(self, count: int) -> list[tuple[dict[str, Any], bytes]]: ...


class RabbitPlace:
    """A virtual host of its own on the session's RabbitMQ, behind a gate."""

    def __init__(self, server: PrivateBroker, vhost: str) -> None:
        self.server = server
        self.vhost = vhost
        self.gate = Gate(server.port)

    def url(self, user: str) -> str:
        return self.direct(user).replace(f":{self.server.port}/", f":{self.gate.port}/")

    def direct(self, user: str) -> str:
        return self.server.url(user, self.vhost)

    async def cut(self) -> None:
        await self.gate.shut()

    async def restore(self) -> None:
        await self.gate.open()

    async def inject(self, user: str, where: tuple[str, str], body: bytes, content_type: str) -> None:
        def publish(channel: Any) -> None:
            properties = pika.BasicProperties(content_type=content_type, user_id=user)
            channel.confirm_delivery()
            channel.basic_publish(*where, body, properties)

        await asyncio.to_thread(self._with_channel, user, publish)

    async def delete_exchange(self, name: str) -> None:
        path = f"/exchanges/{self.vhost}/{name}"
        await asyncio.to_thread(self.server.management.request, "DELETE", path)

    async def dead_letters(self, count: int) -> list[tuple[dict[str, Any], bytes]]:
        return await asyncio.to_thread(self._dead_letters, count)

    def _dead_letters(self, count: int) -> list[tuple[dict[str, Any], bytes]]:
        found: list[tuple[dict[str, Any], bytes]] = []

        def collect(channel: Any) -> None:
            deadline = time.monotonic() + SOON_S
            while len(found) < count and time.monotonic() < deadline:
                method, properties, body = channel.basic_get(DEAD_LETTERS, auto_ack=True)
                if method is None:
                    channel.connection.process_data_events(0.05)
                else:
                    found.append((properties.headers, body))

        self._with_channel("planner", collect)
        return found

    def _with_channel(self, user: str, work: Callable[[Any], None]) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.direct(user)))
        try:
            work(connection.channel())
        finally:
            connection.close()


class EmbeddedPlace:
    """A world of its own inside the process."""

    def __init__(self) -> None:
        self.name = f"world{secrets.token_hex(4)}"
        self.engine, self.world = enter(self.name)

    def url(self, user: str) -> str:
        return f"memory://{user}@{self.name}"

    async def cut(self) -> None:
        await call(self.engine, lambda: self.world.cut(away=True), SOON_S)

    async def restore(self) -> None:
        await call(self.engine, lambda: self.world.cut(away=False), SOON_S)

    async def inject(self, user: str, where: tuple[str, str], body: bytes, content_type: str) -> None:
        message = Message(body, content_type, *where, user)
        await call(self.engine, lambda: self.world.publish(message), SOON_S)

    async def delete_exchange(self, name: str) -> None:
        await call(self.engine, lambda: self.world.delete_exchange(name), SOON_S)

    async def dead_letters(self, count: int) -> list[tuple[dict[str, Any], bytes]]:
        found: list[tuple[dict[str, Any], bytes]] = []
        deadline = time.monotonic() + SOON_S
        while len(found) < count and time.monotonic() < deadline:
            message = await call(self.engine, lambda: self.world.take(DEAD_LETTERS), SOON_S)
            if message is None:
                await asyncio.sleep(0.01)
            else:
                found.append((dict(message.headers), message.body))
        return found

    def leave(self) -> None:
        leave(self.engine, self.world)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """One RabbitMQ for all contract tests; each makes a virtual host of its own in it."""
    yield from private_rabbitmq(tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(params=["rabbit", "embedded"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """A fresh place of each kind."""
    if request.param == "embedded":
        embedded = EmbeddedPlace()
        yield embedded
        await asyncio.to_thread(embedded.leave)
        return
    server: PrivateBroker = request.getfixturevalue("server")
    vhost = f"test-{secrets.token_hex(4)}"
    await asyncio.to_thread(server.management.make_vhost, vhost)
    rabbit = RabbitPlace(server, vhost)
    await rabbit.restore()
    yield rabbit
    await rabbit.cut()
    await asyncio.to_thread(server.management.delete_vhost, vhost)


class Connect(Protocol):
    """Connects a bus that is closed with the test."""

    async def __call__(self, user: str, *, limits: Limits = LIMITS) -> Bus: ...


@pytest.fixture
async def connect(place: Place) -> AsyncIterator[Connect]:
    made: list[Bus] = []

    async def begin(user: str, *, limits: Limits = LIMITS) -> Bus:
        bus = broker.connect(place.url(user), limits=limits, name=f"test of {user}")
        made.append(bus)
        await bus.start(wait_s=SOON_S)
        return bus

    yield begin
    for bus in made:
        await bus.close()


@pytest.fixture
async def planner(connect: Connect) -> Bus:
    """The planner's bus, with the exchanges and the queue of the dead letters in place."""
    bus = await connect("planner")
    queues, _ = planner_topology(1.0)
    dead = [queue for queue in queues if queue.name == DEAD_LETTERS]
    await bus.declare(dead, [Binding(DEAD_LETTERS, DEAD, "#")])
    return bus


@pytest.fixture
async def orders(planner: Bus) -> str:
    """The name of an agent's queue."""
    queue = f"dsmt.agent.1.{SLICE}.{HOST}"
    await planner.declare([Queue(queue)], [Binding(queue, ORDERS, agent_orders_binding(SLICE, HOST))])
    return queue


@pytest.fixture
def make() -> Make:
    sender = Sender("s1_mgr", "h1.example.org/test", uuid.uuid4().hex)

    def event(channel: Channel, field: str = "status", **more: Any) -> Event:
        return sender.event(channel, field, now=time.time(), id_=uuid.uuid4().hex, **more)

    return event
