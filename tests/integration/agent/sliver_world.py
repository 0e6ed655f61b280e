"""A sliver with a real init, a broker inside this process, and packages made by the real rpmgen."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import broker
from agents import bootstrap, local_socket
from agents.container_manager.ports import holder
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from broker.bus import Bus
from broker.topology import agent_queue, agent_topology
from depot.rpmgen.making import Wish, make
from dsmt_core.channels import command_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.limits import NO_LIMITS, Limits, Network
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice, wrapper_of
from dsmt_core.packages import PackageRef
from dsmt_core.rights import ORDERS

HOST, SLICE, APP = Host("h1.example.org"), Slice("xyz1"), Application("demo")
SOON_S = 60.0

GOOD = {
    "start": "sleep 1000 & echo $! > /app/pid",
    "stop": "kill $(cat /app/pid)",
    "status": "kill -0 $(cat /app/pid) 2>/dev/null && echo ok && exit 0; echo gone; exit 3",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A file for the node's cache."""

    path: Path
    ref: PackageRef


def package(path: Path) -> Package:
    content = path.read_bytes()
    return Package(path, PackageRef(hashlib.sha256(content).hexdigest(), len(content), path.name))


def tarball(path: Path, version: str, scripts: dict[str, str]) -> Path:
    """``demo-VERSION/…`` with the scripts as sh."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {**scripts, "data": version}.items():
            content = (text if name == "data" else f"#!/bin/sh\n{text}\n").encode()
            info = tarfile.TarInfo(
                f"demo-{version}/{name}.sh" if name != "data" else f"demo-{version}/data"
            )
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return path


def rpms(directory: Path, version: str, scripts: dict[str, str]) -> tuple[Package, ...]:
    """Application and wrapper, by rpmgen."""
    directory.mkdir(parents=True, exist_ok=True)
    made = make(
        Wish(
            file=tarball(directory / f"demo-{version}.tgz", version, scripts),
            output=directory / "rpms",
            installdir="/usr/local",
            scripts={name: f"/usr/local/demo/{name}.sh" for name in scripts},
        )
    )
    return tuple(package(each.path) for each in made)


def order(verb: Verb, generation: int, packages: tuple[Package, ...] = (), **more: Any) -> Order:
    drafted = Order(
        verb=verb,
        host=HOST,
        slice=SLICE,
        generation=generation,
        application=APP,
        wrapper=wrapper_of(APP),
        version="1.0-1",
        packages=tuple(each.ref for each in packages),
        status_period=1.0,
    )
    return replace(drafted, **more)


class NodeSocket:
    """Stands for the container manager's package service of one sliver."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._files: dict[str, Path] = {}
        self.refused: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.facts: dict[str, str] = {"cpus": "4"}
        self.network = Network.HOST

    def add(self, *packages: Package) -> None:
        self._files |= {each.ref.digest: each.path for each in packages}

    async def serve(self) -> asyncio.Server:
        listening = local_socket.listen(self._place.node_socket)
        self._place.node_socket.chmod(0o666)
        return await asyncio.start_unix_server(self._client, sock=listening)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        writer.write(json.dumps(self._answered(request)).encode() + b"\n")
        await writer.drain()
        writer.close()

    def _answered(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "port":
            port, who = holder(request["ports"]) if self.network is Network.HOST else (0, "")
            return {"port": port, "holder": who}
        if request["op"] == "secret":
            known = self.secrets.get(request["id"])
            denied = {"error": "this node does not have it", "hint": "", "code": "denied"}
            return denied if known is None else {"value": known}
        if request["op"] == "facts":
            return {"facts": self.facts}
        return self._answer(request["digest"])

    def _answer(self, digest: str) -> dict[str, str]:
        if digest in self.refused:
            return {"error": self.refused[digest], "hint": "put it again", "code": "invalid"}
        if digest not in self._files:
            return {"error": "the depot does not answer", "hint": "", "code": "unavailable"}
        link = self._place.packages / digest
        if not link.exists():
            link.write_bytes(self._files[digest].read_bytes())
        return {"path": f"/packages/{digest}"}


@dataclass
class World:
    """One sliver, its agent as a task of the test, and everything that was heard."""

    place: Place
    driver: SliverDriver
    node: NodeSocket
    planner: Bus
    config: AgentConfig
    paths: SliverPaths
    events: list[Event] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    agent: asyncio.Task[None] | None = None
    bus: Bus | None = None
    _sender: Sender = field(default_factory=lambda: Sender("planner", "planner", os.urandom(8).hex()))

    @property
    def sliver(self) -> Sliver:
        return Sliver(self.place.run)

    async def start_agent(self) -> None:
        self.bus = broker.connect(self.config.broker)
        await self.bus.start(wait_s=SOON_S)
        self.agent = asyncio.create_task(bootstrap.live(self.config, self.paths, self.bus))

    async def end_agent(self) -> None:
        if self.agent is not None:
            self.agent.cancel()
            await asyncio.gather(self.agent, return_exceptions=True)
            self.agent = None
        if self.bus is not None:
            await self.bus.close()
        await _threads_ended()

    async def reboot(self) -> None:
        """Everything in the sliver ends at once, and its init comes up again: as after a power failure."""
        await asyncio.to_thread(self.driver.end, self.place, grace_s=0.0)
        await asyncio.to_thread(self.driver.boot, self.place, AgentCommand())

    async def order(self, order_: Order) -> None:
        channel = command_channel(SLICE, DEPLOYMENT_AGENT, HOST)
        event = self._sender.event(
            channel, STATUS, now=0.0, id_=os.urandom(8).hex(), value=order_.text, pairs=order_.pairs
        )
        await self.planner.publish(event, exchange=ORDERS)

    async def until(self, what: Callable[[list[Event]], bool], *, within_s: float = SOON_S) -> None:
        """Wait until the events heard satisfy ``what``; say what was heard otherwise."""
        try:
            async with asyncio.timeout(within_s), self.heard:
                await self.heard.wait_for(lambda: what(self.events))
        except TimeoutError:
            lines = "\n".join(f"{event.field} {dict(event.pairs)}" for event in self.events)
            log = self.place.root / "var" / "log" / "dsmt-agent.log"
            said = log.read_text(errors="replace")[-4000:] if log.exists() else ""
            raise AssertionError(f"not heard within {within_s} s; heard:\n{lines}\n{said}") from None
        finally:
            if self.agent is not None and self.agent.done():
                self.agent.result()

    def states(self, managed: str = APP) -> list[str]:
        """The states published of what is ``managed``, in order."""
        return [
            event.state
            for event in self.events
            if event.field == DEPLOYMENT_STATUS and event.pairs["managed"] == managed
        ]

    def last(self, field_: str) -> dict[str, str]:
        """The pairs of the last event of the agent with this field; empty when there is none."""
        heard = [event for event in self.events if event.field == field_ and event.service != "planner"]
        return dict(heard[-1].pairs) if heard else {}

    async def until_states(self, *expected: str, managed: str = APP) -> None:
        """Wait until exactly these states were published."""
        await self.until(lambda _: len(self.states(managed)) >= len(expected))
        assert self.states(managed) == list(expected)


async def _threads_ended() -> None:
    """As with a process its threads end: one may be writing what the agent knows, and would go on."""
    loop = asyncio.get_running_loop()
    before, after = loop._default_executor, ThreadPoolExecutor()  # type: ignore[attr-defined]
    loop.set_default_executor(after)
    if before is not None:
        await loop.run_in_executor(after, before.shutdown)


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[None]:
    """Hear everything while inside."""
    async with world.planner.lease() as deliveries:

        async def hear() -> None:
            async for delivery in deliveries:
                async with world.heard:
                    world.events.append(delivery.event)
                    world.heard.notify_all()

        task = asyncio.create_task(hear())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def made_world(
    directory: Path,
    driver: SliverDriver,
    urls: tuple[str, str],
    *,
    agent: AgentCommand | None = None,
    limits: Limits = NO_LIMITS,
) -> AsyncIterator[World]:
    """A sliver made by ``driver``; ``urls`` are the planner's and the node's."""
    place = Place(SLICE, HOST, directory / "slivers" / SLICE)
    planner = broker.connect(urls[0])
    await planner.start(wait_s=SOON_S)
    await planner.declare(*agent_topology(SLICE, HOST))
    await asyncio.to_thread(driver.create, place)
    config = AgentConfig(
        host=HOST,
        slice=SLICE,
        broker=urls[1],
        queue=agent_queue(SLICE, HOST),
        status_period=1.0,
        boot_id="machine1",
    )
    walls = driver.name != "process"
    node = NodeSocket(place)
    node.network = limits.network
    world = World(place, driver, node, planner, config, SliverPaths.below(place.directory, walls=walls))
    server = await node.serve()
    try:
        async with listening(world):
            await asyncio.to_thread(driver.boot, place, agent or AgentCommand(), limits)
            try:
                yield world
            finally:
                await world.end_agent()
                await asyncio.to_thread(driver.destroy, place)
    finally:
        server.close()
        await server.wait_closed()
        await planner.close()
