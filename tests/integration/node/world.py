"""A planner as small as will do for one node: it answers joins, keeps packages, and speaks over a bus."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import broker
from broker.bus import Delivery
from broker.topology import node_queue, node_topology, planner_topology
from dsmt_core.channels import command_channel, facts_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import CONTAINER_MGR, Host, Slice, manager_of
from dsmt_core.rights import NODES, ORDERS, PSEPR

HOST = Host("node1.example.org")
SLICE = Slice("xyz1")
WALK = ["requested", "instantiated", "initialized", "running"]
_HELD_S = 120.0


class Handler(http.server.BaseHTTPRequestHandler):
    """Joins and blobs."""

    server: FakePlanner

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.joins.append(body)
        status, answer = self.server.answer
        self._send(status, json.dumps(answer).encode())

    def do_GET(self) -> None:
        self.server.gets.append(self.path)
        content = self.server.blobs.get(self.path.rpartition("/")[2])
        if content is None:
            self._send(404, b"{}")
        else:
            time.sleep(self.server.slow_s)
            self.server.sends.wait(_HELD_S)
            self._send(200, content)

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...


class FakePlanner(http.server.ThreadingHTTPServer):
    """The HTTP half: ``answer`` is what a join gets, ``blobs`` what the depot has.

    While ``sends`` is cleared it has taken requests for blobs, and answers none.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.joins: list[dict[str, str]] = []
        self.gets: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.slow_s = 0.0
        self.sends = threading.Event()
        self.sends.set()
        self.answer: tuple[int, dict[str, Any]] = (503, {})
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def welcome(self, broker_url: str, **more: Any) -> None:
        self.answer = (
            200,
            {
                "host": HOST,
                "broker": broker_url,
                "queue": node_queue(HOST),
                "heartbeat_s": 0.2,
                "depot": self.url,
                "depot_token": "t",
                "slivers": {},
                **more,
            },
        )

    def close(self) -> None:
        self.sends.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class Voice:
    """The half on the bus: gives orders, and remembers everything that was heard."""

    def __init__(self, url: str) -> None:
        self.bus = broker.connect(url, name="test planner")
        self.heard: list[Delivery] = []
        self._sender = Sender("planner", "planner", uuid.uuid4().hex)
        self._ear: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.bus.start(wait_s=60)
        queues, bindings = planner_topology(1.0)
        more_queues, more_bindings = node_topology(HOST)
        await self.bus.declare([*queues, *more_queues], [*bindings, *more_bindings])
        listening = asyncio.Event()
        self._ear = asyncio.create_task(self._listen(listening))
        await listening.wait()

    async def close(self) -> None:
        if self._ear is not None:
            self._ear.cancel()
            await asyncio.gather(self._ear, return_exceptions=True)
        await self.bus.close()

    async def order(
        self,
        verb: Verb,
        generation: int,
        slice_: Slice = SLICE,
        agent: str = "",
        limits: Limits = NO_LIMITS,
    ) -> None:
        order = Order(verb=verb, host=HOST, slice=slice_, generation=generation, agent=agent, limits=limits)
        event = self._sender.event(
            command_channel(slice_, CONTAINER_MGR, HOST),
            STATUS,
            now=time.time(),
            id_=uuid.uuid4().hex,
            service=manager_of(slice_),
            value=order.text,
            pairs=order.pairs,
        )
        await self.bus.publish(event, exchange=ORDERS)

    def states(self, slice_: Slice = SLICE) -> list[str]:
        """The container's states of a slice, in the order in which they were heard."""
        return [
            event.state
            for event in self.events(DEPLOYMENT_STATUS)
            if event.pairs["slice"] == slice_ and event.pairs["managed"] == "org.dsmt.component.container"
        ]

    def events(self, field: str) -> list[Event]:
        return [each.event for each in self.heard if each.event.field == field]

    def said(self) -> list[Event]:
        """The holdings of the node; those of the agents are not meant."""
        return [event for event in self.events("holdings") if event.channel == facts_channel(HOST)]

    def holdings(self) -> dict[str, str]:
        said = self.said()
        return dict(said[-1].pairs) if said else {}

    async def _listen(self, listening: asyncio.Event) -> None:
        async with self.bus.lease(exchanges=(PSEPR, ORDERS, NODES)) as deliveries:
            listening.set()
            async for delivery in deliveries:
                self.heard.append(delivery)


@asynccontextmanager
async def voice(url: str) -> AsyncIterator[Voice]:
    speaking = Voice(url)
    await speaking.start()
    try:
        yield speaking
    finally:
        await speaking.close()


async def until(condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """Wait for a condition; the failure says which one it was."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        await asyncio.sleep(0.02)


async def until_true(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        await asyncio.sleep(0.02)


def alive(mark: Path | str) -> list[int]:
    """The pids of this machine whose command line names ``mark``, zombies left out."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                text = (path / "cmdline").read_bytes()
                state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(mark).encode() in text and state not in "ZX":
                found.append(int(path.name))
    return found
