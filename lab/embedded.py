"""The embedded scene: planner, container managers and agents are tasks of this process.

The bus is kombu's memory transport. Slivers and applications are real processes, and so is the depot. To
switch a node off its tasks end, and then its processes, at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import psutil
import structlog

from agents import bootstrap
from agents.container_manager.config import NodeConfig
from agents.container_manager.service import ContainerManager
from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.place import Place
from agents.deployment_agent.config import read_config
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.errors import DeadlinePassed
from dsmt_core.names import Host
from dsmtc.client import Client, Credentials
from lab.scene import Scenery
from lab.sweeper import sliver_processes
from planner.config import PlannerConfig
from planner.run import Running, running
from planner.setup import initialise

READY_WITHIN_S: Final = 90.0
_ENDED_WITHIN_S: Final = 10.0


class EmbeddedScene:
    """Everything that can be a task is one.

    Args:
        scenery: what it is made of.
    """

    broker = "embedded"

    def __init__(self, scenery: Scenery) -> None:
        self.scenery = scenery
        self.planner_url = ""
        self._world = f"world-{secrets.token_hex(4)}"
        self._stack = AsyncExitStack()
        self._nodes: dict[Host, _Node] = {}

    @property
    def operator_url(self) -> str:
        """With which a monitor connects."""
        return self._url("operator")

    async def start(self) -> None:
        """See `lab.scene.Scene.start`."""
        config = PlannerConfig(
            data=self.scenery.home / "planner",
            broker=self._url("planner"),
            node_broker=self._url("node"),
            operator_broker=self._url("operator"),
            application_broker=self._url("application"),
            port=self.scenery.port,
            heartbeat=self.scenery.heartbeat_s,
            status_period=self.scenery.status_period_s,
        )
        self.scenery.home.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(_logging_to(self.scenery.home / "scene.log"))
        sweeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lab.sweeper", str(self.scenery.home)),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._stack.push_async_callback(_end_sweeper, sweeper)
        await asyncio.to_thread(initialise, config, self.scenery.admin, self.scenery.password)
        planner: Running = await self._stack.enter_async_context(running(config))
        self.planner_url = planner.url
        token = await asyncio.to_thread(self._invitation)
        driver = (await asyncio.to_thread(choose, self.scenery.sliver_driver)).driver.name
        for host in self.scenery.hosts:
            self._nodes[host] = _Node(host, self.scenery, self.planner_url, token=token, driver=driver)
        await asyncio.gather(*(node.start() for node in self._nodes.values()))

    async def stop(self) -> None:
        """See `lab.scene.Scene.stop`."""
        await asyncio.gather(*(node.power_off() for node in self._nodes.values()))
        await self._stack.aclose()

    async def power_off(self, host: Host) -> None:
        """See `lab.scene.Scene.power_off`."""
        await self._nodes[host].power_off()

    async def power_on(self, host: Host) -> None:
        """See `lab.scene.Scene.power_on`."""
        await self._nodes[host].start()

    def pids(self, host: Host) -> list[int]:
        """See `lab.scene.Scene.pids`."""
        return [process.pid for process in self._nodes[host].processes()]

    def client(self) -> Client:
        """The planner, for the first account."""
        return Client(self.planner_url, Credentials(self.scenery.admin, self.scenery.password))

    def _url(self, user: str) -> str:
        return f"memory://{user}@{self._world}"

    def _invitation(self) -> str:
        with self.client() as client:
            return client.invite()["token"]


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """The parts' logs, which in a scene of processes go to a file for each."""
    with path.open("a", buffering=1) as file:
        handler, root = logging.StreamHandler(file), logging.getLogger()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        root.addHandler(handler)
        structlog.configure(
            logger_factory=structlog.WriteLoggerFactory(file), cache_logger_on_first_use=False
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
            root.removeHandler(handler)


async def _end_sweeper(sweeper: asyncio.subprocess.Process) -> None:
    if sweeper.stdin is not None:
        sweeper.stdin.close()
    await sweeper.wait()


class _Node:
    """One node as tasks of this process, and the real processes of its slivers."""

    def __init__(self, host: Host, scenery: Scenery, planner: str, *, token: str, driver: str) -> None:
        self._walls = driver != "process"
        self._config = NodeConfig(
            planner=planner,
            token=token,
            host=host,
            data=scenery.home / host,
            sliver_driver=driver,
            embedded_agent=self._agent,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Switch it on; returns when it has joined."""
        manager = ContainerManager(self._config)
        self._task = asyncio.create_task(manager.run(), name=f"node {self._config.host}")
        ready = asyncio.create_task(manager.ready.wait())
        await asyncio.wait({self._task, ready}, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()
        if not manager.ready.is_set():
            raise DeadlinePassed(f"{self._config.host} was not ready within {READY_WITHIN_S:g} s")

    async def power_off(self) -> None:
        """End its tasks and its processes."""
        if self._task is not None:
            self._task.cancel()
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_ENDED_WITHIN_S)
            self._task = None
        # What was being started while the tasks ended.
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def processes(self) -> list[psutil.Process]:
        """The inits of its slivers, and what descends from them."""
        return list(sliver_processes(self._config.data))

    async def _agent(self, place: Place) -> None:
        """The deployment agent of one sliver, from outside of it."""
        paths = SliverPaths.below(place.directory, walls=self._walls)
        config = await asyncio.to_thread(read_config, place.agent_file)
        await bootstrap.serve(config, paths)
