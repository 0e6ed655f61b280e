"""A `dsmt-node` on a broker of its own, and a planner as thin as will do.

Real are RabbitMQ, the node, its slivers, agents and packages. The planner is not: how soon it orders is
measured elsewhere (`benchmarks.main_job`, `benchmarks.fleet`), and it would take of the same two cores.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import broker
from agents import local_socket
from agents.container_manager.slivers import record
from agents.container_manager.slivers.place import Place
from broker.server.private import PrivateBroker
from broker.topology import agent_topology, node_queue, node_topology, planner_topology
from dsmt_core.channels import command_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.names import (
    CONTAINER_MGR,
    DEPLOYMENT_AGENT,
    Application,
    Host,
    Slice,
    manager_of,
    wrapper_of,
)
from dsmt_core.packages import PackageRef
from dsmt_core.rights import NODES, ORDERS, PSEPR
from planner.authority.order_keys import OrderKeys
from planner.service.signing import Signing, of_agent, of_node

HOST: Final = Host("node1.example.org")
HEARTBEAT_S: Final = 5.0
WITHIN_S: Final = 120.0
_ORDER_S: Final = 30.0

Said = tuple[str, str, str]
"""Slice, what is managed, and its state."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Depot

    def do_POST(self) -> None:
        """A join."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(json.dumps(self.server.welcome).encode())

    def do_GET(self) -> None:
        """A challenge for who joins, or a package."""
        if self.path.startswith("/v1/authority/challenge?"):
            self._send(json.dumps({"challenge": uuid.uuid4().hex}).encode())
            return
        self._send(self.server.packages[self.path.rpartition("/")[2]])

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Depot(http.server.ThreadingHTTPServer):
    """Answers joins and gives packages, in a thread."""

    daemon_threads = True

    def __init__(self, node_url: str, told: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.packages: dict[str, bytes] = {}
        self.welcome: Mapping[str, Any] = {
            "host": HOST,
            "broker": node_url,
            "queue": node_queue(HOST),
            "heartbeat_s": HEARTBEAT_S,
            "depot": self.url,
            "depot_token": "t",
            "slivers": {},
            **told,
        }
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Of both."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, path: Path) -> PackageRef:
        """Have a package."""
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.packages[digest] = content
        return PackageRef(digest, len(content), path.name)


class Rig:
    """One node, and whoever gives it orders.

    Args:
        server: the broker, started.
        folder: for the node's data.
        period_s: between calls of status scripts and holdings of agents.
    """

    def __init__(self, server: PrivateBroker, folder: Path, *, period_s: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Signed as by a planner: a node loads what that needs, and checks each order.
        self._signing = Signing(OrderKeys(folder / "order.key"), time.time)
        self._note = self._signing.hearing(lambda _event: True)
        self.depot = Depot(server.node_url, self._signing.told())
        self.data = folder / "data"
        self._log = folder / "node.log"
        self._period_s = period_s
        self._bus = broker.connect(server.planner_url, name="bench planner")
        self._sender = Sender("planner", "planner", uuid.uuid4().hex)
        self._ear: asyncio.Task[None] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.heard: dict[Said, float] = {}
        self.holdings: list[tuple[float, Event]] = []

    async def start(self) -> None:
        """Connect, listen, and start the node."""
        await self._bus.start(wait_s=WITHIN_S)
        for queues, bindings in (planner_topology(HEARTBEAT_S), node_topology(HOST)):
            await self._bus.declare(queues, bindings)
        listening = asyncio.Event()
        self._ear = asyncio.create_task(self._listen(listening))
        await listening.wait()
        self.start_node()
        await self.until(lambda: self.holdings, "the node says what it holds")

    def start_node(self) -> None:
        """Start `dsmt-node`; again over the same data after it was killed."""
        command = [sys.executable, "-m", "agents.container_manager.main", "--planner", self.depot.url]
        command += ["--host", HOST, "--data", str(self.data), "--status-period", str(self._period_s)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--sliver-driver", "bubblewrap"], stdout=log, stderr=log, env=dict(os.environ)
            )

    def kill_node(self) -> None:
        """SIGKILL; the slivers live on."""
        assert self.process is not None  # noqa: S101 - it was started
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(WITHIN_S)

    async def close(self) -> None:
        """End everything."""
        if self.process is not None:
            self.kill_node()
        await asyncio.to_thread(self._end_slivers)
        if self._ear is not None:
            self._ear.cancel()
            await asyncio.gather(self._ear, return_exceptions=True)
        await self._bus.close()
        self.depot.shutdown()

    async def declare(self, slice_: Slice) -> None:
        """The queue of the slice's agent."""
        await self._bus.declare(*agent_topology(slice_, HOST))

    async def sliver(self, verb: Verb, slice_: Slice, generation: int) -> float:
        """Order a sliver; when that was, in seconds of the clock that never goes back."""
        order = Order(verb=verb, host=HOST, slice=slice_, generation=generation)
        return await self._order(order, CONTAINER_MGR)

    async def application(
        self, slice_: Slice, name: Application, packages: tuple[PackageRef, ...]
    ) -> float:
        """Order an application; when that was."""
        order = Order(
            verb=Verb.APPCONFIG,
            host=HOST,
            slice=slice_,
            generation=1,
            application=name,
            wrapper=wrapper_of(name),
            version="1.0-1",
            packages=packages,
            status_period=self._period_s,
        )
        return await self._order(order, DEPLOYMENT_AGENT)

    async def state(self, slice_: Slice, managed: str, state: str) -> float:
        """When a state was heard; waits for it."""
        said = slice_, managed, state
        await self.until(lambda: said in self.heard, f"{state} of {managed} in {slice_}")
        return self.heard[said]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait; whoever waits in vain says for what, and what the node said last."""
        end = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"node: not within {WITHIN_S:g} s: {what}\n{self._log.read_text()[-2000:]}")
            await asyncio.sleep(0.002)

    def forget(self, slice_: Slice) -> None:
        """Hear the states of a slice anew."""
        self.heard = {said: at for said, at in self.heard.items() if said[0] != slice_}

    def place(self, slice_: Slice) -> Place:
        """Where its sliver is."""
        return Place(slice_, HOST, self.data / "slivers" / slice_)

    def inits(self) -> dict[Slice, int]:
        """The first process of each sliver."""
        found = {}
        for directory in sorted((self.data / "slivers").iterdir()):
            known = record.load(self.place(Slice(directory.name)).init_file)
            if known is not None and record.lives(known):
                found[Slice(directory.name)] = known.pid
        return found

    def _end_slivers(self) -> None:
        for slice_ in self.inits():
            local_socket.ask(self.place(slice_).init_socket, {"op": "end", "grace": 0.2})

    async def _order(self, order: Order, component: str) -> float:
        event = self._sender.event(
            command_channel(order.slice, component, HOST),
            STATUS,
            now=time.time(),
            id_=uuid.uuid4().hex,
            service=manager_of(order.slice),
            value=order.text,
            pairs=order.pairs,
            expiry=_ORDER_S,
        )
        listens = of_node(HOST) if component == CONTAINER_MGR else of_agent(order.slice, HOST)
        began = time.perf_counter()
        await self._bus.publish(self._signing.signed(event, listens), exchange=ORDERS)
        return began

    async def _listen(self, listening: asyncio.Event) -> None:
        async with self._bus.lease(exchanges=(PSEPR, NODES)) as deliveries:
            listening.set()
            async for delivery in deliveries:
                event, now = delivery.event, time.perf_counter()
                self._note(event)
                if event.field == DEPLOYMENT_STATUS:
                    said = str(event.pairs["slice"]), str(event.pairs["managed"]), event.state
                    self.heard.setdefault(said, now)
                elif event.field == "holdings":
                    self.holdings.append((now, event))
