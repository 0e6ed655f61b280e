"""Bare pika in the place of planner, nodes and agents: the same connections, queues, messages and steps.

It decides nothing and reads nothing: bodies are made before, and what comes only says that the next step
may be taken. So it is the least time that a deployment can take over this broker, from one process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from benchmarks.reconcile_rig import APP, BenchNode
from broker.topology import INGEST, KEEP, Binding, Queue, agent_queue, agent_topology, node_queue
from dsmt_core import wire
from dsmt_core.channels import command_channel, status_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import STATUS, Event, Sender
from dsmt_core.health import HEALTH, Condition, health_pairs
from dsmt_core.history import kept
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Host, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.rights import ORDERS, PSEPR

_PACKAGE = PackageRef("a" * 64, 1_000, "idle-1.0.tgz")


class Said(NamedTuple):
    """One message, whole."""

    exchange: str
    key: str
    body: bytes
    kept: bool


@dataclass(slots=True)
class Script:
    """All that is said for one instance, in its order: by planner, node, agent, planner, agent."""

    create: Said
    made: list[Said]
    ready: list[Said]
    configure: Said
    running: list[Said]


class RawPart:
    """One connection with two channels as the port has: one confirms, the other reads."""

    def __init__(self, url: str, user: str) -> None:
        self._url = url
        self._user = user
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._tag = 0
        self._raw: Any = None
        self._channel: Any = None

    async def open(self) -> None:
        """Connect, and switch confirms on."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[Any] = loop.create_future()
        parameters = pika.URLParameters(self._url)
        self._raw = AsyncioConnection(parameters, on_open_callback=opened.set_result)
        await opened
        self._channel = await self._open_channel()
        confirming: asyncio.Future[Any] = loop.create_future()
        self._channel.confirm_delivery(self._confirmed, callback=confirming.set_result)
        await confirming

    async def say(self, said: Said) -> None:
        """Publish persistently, and wait for the confirm."""
        properties = pika.BasicProperties(
            delivery_mode=2,
            user_id=self._user,
            content_type=wire.MSGPACK,
            headers=dict(KEEP) if said.kept else None,
        )
        self._tag += 1
        confirmed = self._waiting[self._tag] = asyncio.get_running_loop().create_future()
        self._channel.basic_publish(said.exchange, said.key, said.body, properties)
        await confirmed

    async def declare(self, queues: Iterable[Queue], bindings: Iterable[Binding]) -> None:
        """Make durable queues and their bindings, each answered before the next."""
        for queue in queues:
            made: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._channel.queue_declare(
                queue.name, durable=True, arguments=queue.arguments, callback=made.set_result
            )
            await made
        for one in bindings:
            bound: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._channel.queue_bind(one.queue, one.exchange, one.key, callback=bound.set_result)
            await bound

    async def hear(self, queue: str, on_message: Callable[[str], None], *, exclusive: bool = True) -> None:
        """Read a queue; each message is acknowledged, and its key handed on."""
        ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def deliver(_channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
            reading.basic_ack(method.delivery_tag)
            on_message(method.routing_key)

        reading = await self._open_channel()
        reading.basic_qos(prefetch_count=300)
        reading.basic_consume(queue, deliver, exclusive=exclusive, callback=ready.set_result)
        await ready

    def close(self) -> None:
        """End it."""
        self._raw.close()

    async def _open_channel(self) -> Any:
        made: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._raw.channel(on_open_callback=made.set_result)
        return await made

    def _confirmed(self, frame: Any) -> None:
        tag, several = frame.method.delivery_tag, frame.method.multiple
        for number in [one for one in self._waiting if one <= tag] if several else [tag]:
            self._waiting.pop(number).set_result(None)


class RawFleet:
    """Everybody.

    Args:
        planner: URL of its user.
        node: URL of the nodes' user.
        slice_: a new one: the queues of its agents are made on the way, as the planner makes them.
        hosts: where instances begin.
    """

    def __init__(self, planner: str, node: str, slice_: Slice, hosts: Sequence[Host]) -> None:
        self._planner = RawPart(planner, "planner")
        self._urls = node
        self._slice = slice_
        self._scripts = {host: script(slice_, host) for host in hosts}
        self._nodes = {host: RawPart(node, "node") for host in hosts}
        self._agents: list[RawPart] = []
        self._steps: dict[tuple[Host, str], asyncio.Event] = {}

    async def open(self) -> None:
        """Planner and nodes connect, and read their queues."""
        await self._planner.open()
        await self._planner.hear(INGEST, lambda _key: None, exclusive=False)
        for host, node in self._nodes.items():
            await node.open()
            await node.hear(node_queue(host), self._step(host, "create"))

    async def deploy(self) -> float:
        """Seconds until the last instance has said that it runs."""
        began = time.perf_counter()
        await asyncio.gather(*(self._deploy(host) for host in self._scripts))
        return time.perf_counter() - began

    def close(self) -> None:
        """End all connections."""
        for part in (self._planner, *self._nodes.values(), *self._agents):
            part.close()

    async def _deploy(self, host: Host) -> None:
        told, node, agent = self._scripts[host], self._nodes[host], RawPart(self._urls, "node")
        self._agents.append(agent)
        await self._planner.declare(*agent_topology(self._slice, host))
        await self._planner.say(told.create)
        await self._steps[host, "create"].wait()
        for said in told.made:
            await node.say(said)
        await agent.open()
        configured = self._step(host, "configure")
        for said in told.ready[:-3]:
            await agent.say(said)
        await agent.hear(agent_queue(self._slice, host), configured)
        for said in told.ready[-3:]:
            await agent.say(said)
        await self._planner.say(told.configure)
        await self._steps[host, "configure"].wait()
        for said in told.running:
            await agent.say(said)

    def _step(self, host: Host, name: str) -> Callable[[str], None]:
        event = self._steps[host, name] = asyncio.Event()
        return lambda _key: event.set()


def script(slice_: Slice, host: Host) -> Script:
    """What is said for an instance, of the size and in the order of the real parts."""
    node = BenchNode(host)
    create = Order(verb=Verb.CREATE, host=host, slice=slice_, generation=1, agent="deployment-agent")
    configure = Order(
        verb=Verb.APPCONFIG,
        host=host,
        slice=slice_,
        generation=1,
        application=APP,
        wrapper="dsmtw_pinger",
        version="1.0-1",
        packages=(_PACKAGE,),
    )
    begun = [*node.obey(create), _health(slice_, host)]
    of_agent = (f"/{SLIVER_BOOTSTRAP}/", f"/{DEPLOYMENT_AGENT}/")
    return Script(
        create=_ordered(create, CONTAINER_MGR),
        made=[_said(event) for event in begun if not any(name in event.channel for name in of_agent)],
        ready=[_said(event) for event in begun if any(name in event.channel for name in of_agent)],
        configure=_ordered(configure, DEPLOYMENT_AGENT),
        running=[_said(event) for event in node.obey(configure)],
    )


def _health(slice_: Slice, host: Host) -> Event:
    """What an agent tells of itself when it begins."""
    channel = status_channel(slice_, DEPLOYMENT_AGENT, host)
    sender = Sender("bench", f"{host}/{DEPLOYMENT_AGENT}", "b1")
    pairs = {"hostname": host, "slice": slice_, **health_pairs(Condition(connects=1))}
    return sender.event(channel, HEALTH, now=time.time(), id_="0" * 32, pairs=pairs)


def _said(event: Event, exchange: str = PSEPR) -> Said:
    return Said(exchange, event.key, wire.encode(event), kept(event))


def _ordered(order: Order, component: str) -> Said:
    sender = Sender("dsmt_mgr", "planner", "b1")
    channel = command_channel(order.slice, component, order.host)
    event = sender.event(
        channel, STATUS, now=time.time(), id_="0" * 32, value=order.text, pairs=order.pairs
    )
    return _said(event, ORDERS)
