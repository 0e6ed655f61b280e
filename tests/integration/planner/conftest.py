"""The planner as a real process, with its depot, on a real RabbitMQ that the session starts."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

import broker
from broker.bus import Bus, Limits
from broker.server.ports import HeldPort
from broker.server.private import PrivateBroker
from dsmt_core.channels import Channel, facts_channel, heartbeat_channel
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.errors import Unavailable
from dsmt_core.events import Event, Sender
from dsmt_core.names import Host, Slice
from dsmt_core.nodes import (
    HEARTBEAT,
    HOLDINGS,
    PROBE,
    ProbeResult,
    digest,
    probe_pairs,
    sliver_pairs,
)
from dsmt_core.rights import NODES

ADMIN = "me@example.com"
PASSWORD = "a long secret"
# After three without one a node has failed: a busy machine is silent for some seconds, too.
HEARTBEAT_S = 2.0


@dataclass
class Site:
    """Where a planner runs, and how to start one there."""

    data: Path
    urls: Callable[[str], str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    url: str = ""
    # So that the next planner finds the port free that the last one had.
    port: HeldPort = field(default_factory=HeldPort)

    def init(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "planner.main", "init", "--data", str(self.data), "--admin", ADMIN]
        environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def begin(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start a planner and do not wait."""
        settings = {
            "DSMT_BROKER": self.urls("planner"),
            "DSMT_NODE_BROKER": self.urls("node"),
            "DSMT_OPERATOR_BROKER": self.urls("operator"),
            "DSMT_APPLICATION_BROKER": self.urls("application"),
        }
        command = [sys.executable, "-m", "planner.main", "run", "--data", str(self.data)]
        command += ["--heartbeat", str(HEARTBEAT_S), "--listen", "127.0.0.1:0", *options]
        process = subprocess.Popen(
            command, env=os.environ | settings | environment, text=True, stderr=subprocess.PIPE
        )
        self.processes.append(process)
        return process

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a planner, on the port that it had, and return when it answers."""
        ready = self.data / "ready"
        ready.unlink(missing_ok=True)
        listen = f"127.0.0.1:{self.port.number}"
        process = self.begin("--ready-file", str(ready), "--listen", listen, *options)
        deadline = time.monotonic() + 120
        while not ready.exists():
            if process.poll() is not None:
                assert process.stderr is not None
                pytest.fail(process.stderr.read())
            assert time.monotonic() < deadline, "the planner did not come up"
            time.sleep(0.05)
        self.url = json.loads(ready.read_text())["url"]
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a planner that has never run; each test begins with a copy."""
    data = tmp_path_factory.mktemp("initialised") / "planner"
    made = Site(data, str).init()
    assert made.returncode == 0, made.stderr
    return data


@pytest.fixture
def site(tmp_path: Path, server: PrivateBroker, vhost: str, initialised: Path) -> Iterator[Site]:
    made = Site(tmp_path / "planner", lambda user: server.url(user, vhost))
    shutil.copytree(initialised, made.data)
    yield made
    depots = [child for one in made.processes if one.poll() is None for child in children(one.pid)]
    made.end()
    _, alive = psutil.wait_procs(depots, timeout=60)
    assert not alive, "the depot outlived its planner"


def children(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    return []


class Api:
    """The API as one caller sees it."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)

    async def log_in(self) -> None:
        session = await self("POST", "/login", {"account": ADMIN, "password": PASSWORD})
        self.client.headers["Authorization"] = f"Bearer {session['token']}"

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def api(site: Site) -> AsyncIterator[Api]:
    """A planner that runs, as its first account sees it."""
    await asyncio.to_thread(site.start)
    made = Api(site.url)
    await made.log_in()
    yield made
    await made.client.aclose()


class Node:
    """What a container manager says and hears, without slivers."""

    def __init__(self, bus: Bus, host: str) -> None:
        self.bus = bus
        self.host = Host(host)
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.slivers: dict[Slice, int] = {}
        self._sender = Sender("dsmt_mgr", f"{host}/org.dsmt.component.container-mgr", secrets.token_hex(4))

    async def say(self, channel: Channel, field_: str, **pairs: str) -> None:
        await self.bus.publish(self.event(channel, field_, pairs))

    async def hold(self, **more: str) -> None:
        pairs = {"hostname": self.host, **sliver_pairs(self.slivers), **more}
        deadline = time.monotonic() + 90
        while True:
            try:
                await self.bus.publish(self.event(facts_channel(self.host), HOLDINGS, pairs))
            except Unavailable:
                # Saying it again is safe, and what a real node does.
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
            else:
                return

    async def ordered(self, verb: Verb, slice_: str = "") -> Order:
        """The next order with this verb (for this slice)."""
        async with asyncio.timeout(120):
            while True:
                order = await self.orders.get()
                if order.verb is verb and slice_ in {"", order.slice}:
                    return order

    async def run(self, queue: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            tasks.create_task(self._hear(queue))

    async def _beat(self) -> None:
        while True:
            beat = self.event(heartbeat_channel(self.host), HEARTBEAT, {"digest": digest(self.slivers)})
            self.bus.hint(beat, exchange=NODES)
            await asyncio.sleep(HEARTBEAT_S)

    async def _hear(self, queue: str) -> None:
        async with self.bus.consume(queue) as deliveries:
            async for delivery in deliveries:
                order = order_of(delivery.event)
                self.orders.put_nowait(order)
                delivery.ack()
                if order.verb is Verb.REPORT:
                    await self.hold()
                if order.verb is Verb.PROBE:
                    pairs = probe_pairs(ProbeResult(nonce=order.nonce))
                    await self.say(facts_channel(self.host), PROBE, **pairs)

    def event(self, channel: Channel, field_: str, pairs: dict[str, str]) -> Event:
        return self._sender.event(
            channel, field_, now=time.time(), id_=secrets.token_hex(8), pairs=pairs, emit_rate=HEARTBEAT_S
        )


@asynccontextmanager
async def joined(api: Api, name: str = "n1") -> AsyncIterator[Node]:
    """A node that has joined, beats, and hears its orders."""
    host = f"{name}.example.org"
    token = (await api("POST", "/nodes/invite"))["token"]
    body = {"host": host, "token": token, "boot_id": "b1", "claim": "the claim of this node"}
    told = await api("POST", "/nodes/join", body)
    # With so short a period, a node that takes seconds to connect again would rightly be judged failed.
    bus = broker.connect(told["broker"], limits=Limits(retry_most_s=0.3), name=name)
    await bus.start(wait_s=60)
    made = Node(bus, host)
    running = asyncio.create_task(made.run(told["queue"]))
    try:
        await made.hold(asks="yes")
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()


@pytest.fixture
async def node(api: Api) -> AsyncIterator[Node]:
    """See `joined`."""
    async with joined(api) as made:
        yield made


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[Bus]:
    """An operator's program."""
    bus = broker.connect(site.urls("operator"), name="operator")
    await bus.start(wait_s=60)
    yield bus
    await bus.close()
