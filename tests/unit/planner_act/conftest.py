"""A planner with its API in this process: the real database, the broker inside the process, no socket."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import broker
from broker.bus import Bus
from broker.topology import node_queue
from dsmt_core.channels import Channel, facts_channel, heartbeat_channel
from dsmt_core.commands import Order, order_of
from dsmt_core.events import Event, Sender
from dsmt_core.names import Host, Slice
from dsmt_core.nodes import HEARTBEAT, HOLDINGS, digest, sliver_pairs
from dsmt_core.rights import NODES
from planner.api import create_app
from planner.config import PlannerConfig
from planner.service.planner import Planner
from planner.setup import initialise

ADMIN = "me@example.com"
PASSWORD = "a long secret"


@pytest.fixture
def config(tmp_path: Path) -> PlannerConfig:
    world = secrets.token_hex(4)
    return PlannerConfig(
        data=tmp_path / "planner",
        broker=f"memory://planner@{world}",
        node_broker=f"memory://node@{world}",
        operator_broker=f"memory://operator@{world}",
        application_broker=f"memory://application@{world}",
        depot="http://depot.example",
        heartbeat=0.2,
        round_every=0.01,
        broker_wait=5.0,
    )


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``dsmt-planner init`` leaves, made once: its password is slow on purpose."""
    data = tmp_path_factory.mktemp("initialised")
    initialise(PlannerConfig(data=data, broker=""), ADMIN, PASSWORD)
    return data


@pytest.fixture
async def planner(config: PlannerConfig, initialised: Path, depot: FakeDepot) -> AsyncIterator[Planner]:
    shutil.copytree(initialised, config.data)
    opened = await Planner.open(config)
    opened.depot.through(httpx.MockTransport(depot.answer))
    await opened.start()
    yield opened
    await opened.close()


class FakeDepot:
    """The depot's HTTP as its protocol says, keyed by digest; a package is its own description.

    Its content is ``rpm name version[ requirement…]`` on one line, or ``rootfs name version``.
    """

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.age = 1e6

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return self._put(await request.aread(), request.headers.get("x-content-sha256", ""))
        digest = request.url.path.rpartition("/")[2]
        if request.method == "DELETE":
            return httpx.Response(200 if self.blobs.pop(digest, None) else 404, json={})
        if request.method == "GET" and digest == "blobs":
            return httpx.Response(
                200, json={"blobs": [{"digest": one, "age": self.age} for one in self.blobs]}
            )
        if digest not in self.blobs:
            return _error(404, "not_found", "the depot has no such package")
        return httpx.Response(200, content=self.blobs[digest])

    def _put(self, content: bytes, announced: str) -> httpx.Response:
        digest = hashlib.sha256(content).hexdigest()
        if content.startswith(b"too much"):
            return _error(507, "full", "the depot is full")
        if announced not in {"", digest} or not content.startswith((b"rpm ", b"rootfs ")):
            return _error(422, "invalid", "it is not a package")
        self.blobs[digest] = content
        kind, name, version, *requires = content.split(b"\n")[0].decode().split(" ", 3)
        said = {
            "digest": digest,
            "size": len(content),
            "kind": kind,
            "name": name,
            "version": version,
            "arch": "noarch",
            "requires": requires[0].split(",") if requires else [],
            "provides": [f"{name} = {version}"],
            "application": name.removeprefix("dsmtw_") if name.startswith("dsmtw_") else "",
        }
        return httpx.Response(200, json=said)


def _error(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": message, "hint": "a hint"})


@pytest.fixture
def depot() -> FakeDepot:
    return FakeDepot()


class Api:
    """The API as one caller sees it; `refused` for what must not succeed."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, message and hint of a refusal."""
        answer = await self.client.request(method, f"/v1{path}", json=body)
        said = answer.json()
        assert set(said) - {"place"} == {"code", "message", "hint"}, said
        assert "\n" not in said["message"]
        return answer.status_code, said["message"], said["hint"]

    async def put(self, slice_: str, filename: str, content: bytes) -> Any:
        answer = await self.client.put(f"/v1/slices/{slice_}/packages/{filename}", content=content)
        return answer.json()


LogIn = Callable[..., Awaitable[Api]]


@pytest.fixture
async def anybody(planner: Planner) -> AsyncIterator[Api]:
    """Somebody who is not logged in."""
    transport = httpx.ASGITransport(create_app(planner), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://planner") as client:
        yield Api(client)


@pytest.fixture
async def log_in(planner: Planner, anybody: Api) -> AsyncIterator[LogIn]:
    """Logs somebody in."""
    clients: list[httpx.AsyncClient] = []

    async def as_(account: str = ADMIN, password: str = PASSWORD, role: str | None = None) -> Api:
        session = await anybody("POST", "/login", {"account": account, "password": password, "role": role})
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(planner), raise_app_exceptions=False),
            base_url="http://planner",
            headers={"Authorization": f"Bearer {session['token']}"},
        )
        clients.append(client)
        return Api(client)

    yield as_
    for client in clients:
        await client.aclose()


@pytest.fixture
async def api(log_in: LogIn) -> Api:
    """The API as the first account."""
    return await log_in()


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def queue_of(host: str) -> str:
    return node_queue(Host(host))


class Node:
    """What a container manager says and hears, without slivers: heartbeats, holdings, orders."""

    def __init__(self, bus: Bus, host: str) -> None:
        self.bus = bus
        self.host = Host(host)
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.slivers: dict[Slice, int] = {}
        self.running: asyncio.Task[None] | None = None
        self._sender = Sender("dsmt_mgr", f"{host}/org.dsmt.component.container-mgr", secrets.token_hex(4))

    def beat(self) -> None:
        event = self._event(heartbeat_channel(self.host), HEARTBEAT, pairs={"digest": digest(self.slivers)})
        self.bus.hint(event, exchange=NODES)

    async def say(self, channel: Channel, field: str, **pairs: str) -> None:
        await self.bus.publish(self._event(channel, field, pairs=pairs))

    async def hold(self, **more: str) -> None:
        pairs = {"hostname": self.host, **sliver_pairs(self.slivers), **more}
        await self.bus.publish(self._event(facts_channel(self.host), HOLDINGS, pairs=pairs))

    async def run(self, period: float) -> None:
        """Beat for ever, and keep what is ordered."""
        hearing = asyncio.create_task(self._hear())
        try:
            while True:
                self.beat()
                await asyncio.sleep(period)
        finally:
            hearing.cancel()

    def die(self) -> None:
        """No heartbeat any more, and no answer."""
        assert self.running is not None
        self.running.cancel()

    async def _hear(self) -> None:
        async with self.bus.consume(queue_of(self.host)) as deliveries:
            async for delivery in deliveries:
                self.orders.put_nowait(order_of(delivery.event))
                delivery.ack()

    def _event(self, channel: Channel, field: str, *, pairs: dict[str, str]) -> Event:
        return self._sender.event(
            channel, field, now=time.time(), id_=secrets.token_hex(8), pairs=pairs, emit_rate=0.2
        )


StartNode = Callable[[str], Awaitable[Node]]


@pytest.fixture
async def start_node(planner: Planner, api: Api) -> AsyncIterator[StartNode]:
    """Starts a node that joins, beats and hears its orders."""
    buses: list[Bus] = []
    tasks: list[asyncio.Task[None]] = []

    async def started(host: str) -> Node:
        token = (await api("POST", "/nodes/invite"))["token"]
        body = {"host": host, "token": token, "boot_id": "b1", "claim": f"the claim of {host}."}
        told = await api("POST", "/nodes/join", body)
        bus = broker.connect(told["broker"], name=host)
        buses.append(bus)
        await bus.start(wait_s=5)
        node = Node(bus, host)
        await node.hold(asks="yes")
        node.running = asyncio.create_task(node.run(planner.config.heartbeat / 2))
        tasks.append(node.running)
        return node

    yield started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for bus in buses:
        await bus.close()
