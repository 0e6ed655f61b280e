"""The scene of real processes: a private RabbitMQ, the planner with its depot, and each node on its own.

A node stands for a machine: it runs under a keeper, so that switching its power off ends all of its
processes at once, and nothing outlives whoever started the scene.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import psutil

from broker.server.kept import Kept
from broker.server.ports import HeldPort
from broker.server.private import PrivateBroker
from dsmt_core.errors import DeadlinePassed, DsmtError, Unavailable
from dsmt_core.names import Host
from dsmtc.client import Client, Credentials
from lab.scene import Scenery
from lab.sightings import running_module
from lab.sweeper import sweep

# A busy machine needs ten times as long as an idle one.
READY_WITHIN_S: Final = 90.0
_GRACE_S: Final = 10.0
_POLL_S: Final = 0.05


class ProcessScene:
    """Broker, planner, depot and nodes as processes of their own.

    Args:
        scenery: what it is made of.
        server: a private broker that runs already, and is not ended with the scene.
        vhost: of that broker.
    """

    broker = "rabbitmq"

    def __init__(self, scenery: Scenery, *, server: PrivateBroker | None = None, vhost: str = "") -> None:
        self.scenery = scenery
        self.server = server or PrivateBroker(scenery.home / "broker")
        self.planner = Kept(grace_s=_GRACE_S)
        # The nodes remember it: it stays this planner's while that is away.
        self._held = None if scenery.port else HeldPort()
        self._port = self._held.number if self._held else scenery.port
        self.planner_url = ""
        self._own_server = server is None
        self._vhost = vhost
        self._machines: dict[Host, _Machine] = {}

    @property
    def operator_url(self) -> str:
        """With which a monitor connects."""
        return self._url("operator")

    async def start(self) -> None:
        """See `lab.scene.Scene.start`."""
        self.scenery.home.mkdir(parents=True, exist_ok=True)
        initialised = asyncio.create_task(self._initialise())
        try:
            if self._own_server:
                await asyncio.to_thread(self.server.start)
        finally:
            await initialised
        await self.start_planner()
        token = await asyncio.to_thread(self._invitation)
        await asyncio.gather(*(self._join(host, token) for host in self.scenery.hosts))

    async def stop(self) -> None:
        """See `lab.scene.Scene.stop`; nodes go first, the broker last."""
        await asyncio.gather(*(asyncio.to_thread(machine.kept.kill) for machine in self._machines.values()))
        # Of a machine whose keeper somebody has killed.
        await asyncio.to_thread(sweep, self.scenery.home)
        await asyncio.to_thread(self.planner.end)
        if self._own_server:
            await asyncio.to_thread(self.server.kill)

    async def start_planner(self) -> None:
        """Start the planner, also again after its end; on the port that it had."""
        ready = self.scenery.home / "planner.ready"
        ready.unlink(missing_ok=True)
        urls = {name: self._url(name) for name in ("planner", "node", "operator", "application")}
        environment = os.environ | {
            "DSMT_BROKER": urls["planner"],
            "DSMT_NODE_BROKER": urls["node"],
            "DSMT_OPERATOR_BROKER": urls["operator"],
            "DSMT_APPLICATION_BROKER": urls["application"],
        }
        if not self._vhost and not self.scenery.shared_users:
            # Users belong to a whole broker: where other installations share it, they share users, too.
            environment["DSMT_BROKER_MANAGEMENT"] = self.server.managed_url
        command = [
            *_module("planner.main"),
            "run",
            "--data",
            str(self._planner_data),
            "--listen",
            f"127.0.0.1:{self._port}",
        ]
        command += ["--heartbeat", str(self.scenery.heartbeat_s), "--ready-file", str(ready)]
        command += ["--status-period", str(self.scenery.status_period_s)]
        log = self.scenery.home / "planner.log"
        await asyncio.to_thread(self.planner.start, command, environment, log)
        self.planner_url = (await _told(ready, self.planner, log))["url"]

    async def power_off(self, host: Host) -> None:
        """See `lab.scene.Scene.power_off`."""
        await asyncio.to_thread(self._machines[host].kept.kill)

    async def power_on(self, host: Host) -> None:
        """See `lab.scene.Scene.power_on`."""
        await asyncio.to_thread(self._machines[host].start)

    def pids(self, host: Host) -> list[int]:
        """See `lab.scene.Scene.pids`."""
        return self._machines[host].pids()

    def manager_pid(self, host: Host) -> int:
        """The container manager's process."""
        return next(iter(running_module(self.pids(host), "agents.container_manager.main")), 0)

    def depot_pid(self) -> int:
        """The depot's process."""
        children = psutil.Process(self.planner.pid).children(recursive=True)
        return next(iter(running_module([process.pid for process in children], "depot.main")), 0)

    def client(self) -> Client:
        """The planner, for the first account."""
        return Client(self.planner_url, Credentials(self.scenery.admin, self.scenery.password))

    @property
    def _planner_data(self) -> Path:
        return self.scenery.home / "planner"

    def _url(self, user: str) -> str:
        return self.server.url(user, self._vhost) if self._vhost else self.server.url(user)

    def _invitation(self) -> str:
        with self.client() as client:
            return client.invite()["token"]

    async def _initialise(self) -> None:
        if self._planner_data.exists():
            # Whoever made the home has put an initialised planner into it.
            return
        command = [*_module("planner.main"), "init", "--data", str(self._planner_data)]
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--admin", self.scenery.admin),
            env=os.environ | {"DSMT_PASSWORD": self.scenery.password},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise DsmtError(f"dsmt-planner init failed: {said.decode().strip()}")

    async def _join(self, host: Host, token: str) -> None:
        machine = _Machine(host, self.scenery, self.planner_url, token)
        self._machines[host] = machine
        await asyncio.to_thread(machine.start)
        await _until_known(machine, self.planner_url)


class _Machine:
    """One node's processes under a keeper."""

    def __init__(self, host: Host, scenery: Scenery, planner_url: str, token: str) -> None:
        self.kept = Kept()
        self.data = scenery.home / host
        self.log = scenery.home / f"{host}.log"
        self._keeper = 0
        self._environment = os.environ | {"DSMT_NODE_TOKEN": token}
        self._command = [*_module("lab.machine"), *_module("agents.container_manager.main")]
        self._command += ["--planner", planner_url]
        self._command += ["--host", host, "--data", str(self.data)]
        self._command += ["--sliver-driver", scenery.sliver_driver, "--podman", scenery.podman]

    def start(self) -> None:
        """Switch it on."""
        self.kept.start(self._command, self._environment, self.log)
        self._keeper = psutil.Process(self.kept.pid).ppid()

    def pids(self) -> list[int]:
        """Everything that descends from the keeper, also what left its session."""
        with contextlib.suppress(psutil.Error):
            return [process.pid for process in psutil.Process(self._keeper).children(recursive=True)]
        return []


async def _until_known(machine: _Machine, planner_url: str) -> None:
    """Wait until the node has stored what the join answered."""
    await _told(machine.data / "node.json", machine.kept, machine.log, at=planner_url)


async def _told(path: Path, kept: Kept, log: Path, *, at: str = "") -> Any:
    """What a program wrote when it was ready."""
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
    while not path.exists():
        if not kept.running:
            raise Unavailable(f"it ended instead of getting ready: {_last_line(log)}", hint=f"see {log}")
        if asyncio.get_running_loop().time() > deadline:
            raise DeadlinePassed(
                f"not ready within {READY_WITHIN_S:g} s{at and f' at {at}'}", hint=f"see {log}"
            )
        await asyncio.sleep(_POLL_S)
    return json.loads(path.read_text())


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]
