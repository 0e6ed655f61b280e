"""A trial: broker, planner and depot as processes of their own, a swarm on them, and what befalls it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from depot.rpmgen.tarball import make_tarball
from dsmt_core.errors import DeadlinePassed
from dsmt_core.names import Host, Slice
from lab.processes import ProcessScene
from lab.scene import Scenery
from lab.swarm.lines import SHARED
from lab.swarm.swarm import Swarm, hosts
from lab.swarm.tally import Place

SLICE: Final = Slice("swarm")
_SCRIPTS: Final = {
    "start.sh": "#!/bin/sh\nexit 0\n",
    "stop.sh": "#!/bin/sh\nexit 0\n",
    "status.sh": "#!/bin/sh\nexit 0\n",
}
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How great a trial is.

    Attributes:
        nodes: how many join.
        instances: how many of them get the application; the rest replaces those that fail.
        heartbeat_s: their period.
        connections: one of `lab.swarm.lines.KINDS`.
    """

    nodes: int
    instances: int
    heartbeat_s: float = 10.0
    connections: str = "real"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: seconds of the processor, and MiB that it holds."""

    cpu_s: float
    rss_mb: float


class Trial:
    """One installation with its swarm.

    Args:
        home: an empty directory.
        size: how great.
    """

    def __init__(self, home: Path, size: Size) -> None:
        self.size = size
        scenery = Scenery(
            home=home,
            hosts=(),
            heartbeat_s=size.heartbeat_s,
            status_period_s=60.0,
            password=_password(),
            shared_users=size.connections == SHARED,
        )
        self.scene = ProcessScene(scenery)
        self._home = home
        self._swarm: Swarm | None = None

    @property
    def swarm(self) -> Swarm:
        """The nodes; there once `start` has returned."""
        if self._swarm is None:
            raise RuntimeError("the trial has not been started")
        return self._swarm

    async def start(self) -> None:
        """Broker, planner and depot; a slice with its application, and no nodes yet."""
        await self.scene.start()
        token = await asyncio.to_thread(self._prepare)
        self._swarm = Swarm(self.scene.planner_url, token, connections=self.size.connections)

    async def stop(self) -> None:
        """End everything; may be called twice."""
        if self._swarm is not None:
            await self._swarm.close()
        await self.scene.stop()

    async def connect(self) -> float:
        """Have all nodes join; seconds until the last is connected and has said what it holds."""
        began = time.monotonic()
        await self.swarm.start(hosts(self.size.nodes))
        return time.monotonic() - began

    async def deploy(self, within_s: float) -> float:
        """Put the plan in force; seconds from its answer until all instances run.

        Raises:
            DeadlinePassed: they did not.
        """
        await asyncio.to_thread(self._set_plan)
        began = time.monotonic()
        await self.until(lambda: len(self.running) >= self.size.instances, "all instances run", within_s)
        return max(self.running.values()) - began

    @property
    def running(self) -> dict[Place, float]:
        """What runs, and since when."""
        return self.swarm.tally.running

    async def until(self, is_so: Callable[[], bool], what: str, within_s: float) -> None:
        """Wait for a condition.

        Raises:
            DeadlinePassed: it did not come.
        """
        deadline = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > deadline:
                raise DeadlinePassed(
                    f"it took more than {within_s:g} s until {what}", hint=f"see {self._home}/planner.log"
                )
            await asyncio.sleep(_LOOK_S)

    async def states(self, of: Sequence[Host]) -> dict[Host, str]:
        """How the planner judges these nodes now."""

        def ask() -> dict[Host, str]:
            with self.scene.client() as client:
                return {host: client.node(host)["state"] for host in of}

        return await asyncio.to_thread(ask)

    async def restart_planner(self) -> None:
        """Kill the planner, and start it again."""
        await asyncio.to_thread(self.scene.planner.kill)
        await self.scene.start_planner()

    async def restart_broker(self) -> None:
        """Kill the broker, and start it again; nodes and planner come back by themselves."""
        await asyncio.to_thread(self.scene.server.kill)
        await asyncio.to_thread(self.scene.server.start)

    def planner(self) -> Usage:
        """What the planner's process has used."""
        return _usage(self.scene.planner.pid)

    def broker(self) -> Usage:
        """What the broker's process has used."""
        return _usage(self.scene.server.pid)

    def _prepare(self) -> str:
        application = self._home / "idle"
        application.mkdir()
        for name, text in _SCRIPTS.items():
            (application / name).write_text(text)
            (application / name).chmod(0o755)
        tarball = make_tarball(application, "idle-1.0", self._home / "idle-1.0.tgz")
        with self.scene.client() as client:
            client.create(SLICE)
            client.put_package(SLICE, tarball)
            client.define_plan(SLICE, "well", "minus", {"left": "all_nodes", "right": "failed"})
            return client.invite()["token"]

    def _set_plan(self) -> None:
        with self.scene.client() as client:
            client.set_plan(SLICE, "limit", {"parent": "well", "count": str(self.size.instances)})


def _usage(pid: int) -> Usage:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return Usage(times.user + times.system, process.memory_info().rss / (1 << 20))


def _password() -> str:
    return secrets.token_urlsafe(12)
