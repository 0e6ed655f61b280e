"""The plot of the demo: deploy, lose a node, see it replaced, see it come back.

Each step waits for what the monitor hears, never for time to pass.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from dsmt_core import names
from dsmt_core.errors import DeadlinePassed, DsmtError
from dsmt_core.events import Event
from dsmt_core.names import Host
from lab.demo.report import Report
from lab.demo.story import Story
from lab.demo.transcript import (
    APPLICATION,
    INSTANCES,
    SETPLAN,
    SLICE,
    STATUS,
    USER,
    Line,
    create,
    prepare,
    rpmgen,
)
from lab.monitor import Heard, Monitor
from lab.scene import Scene, Scenery
from lab.sightings import eldest, rss_mb

# Seconds on an idle machine, and as much as twenty times that on a busy one.
RUNNING_WITHIN_S = 120.0
REPLACED_WITHIN_S = 120.0
GIVEN_UP_WITHIN_S = 120.0
COMMAND_S = 120.0
USER_PASSWORD_ENV = "DSMT_NEW_PASSWORD"  # noqa: S105 - the name of a variable


class Play:
    """One performance.

    Args:
        scene: where it plays, started.
        scenery: what it is made of.
        monitor: hears everything.
        story: tells it.
        report: gets the figures.
    """

    def __init__(  # noqa: PLR0913 - the cast
        self,
        scene: Scene,
        scenery: Scenery,
        monitor: Monitor,
        *,
        story: Story,
        report: Report,
        tarball: Path,
    ) -> None:
        self._scene = scene
        self._scenery = scenery
        self._monitor = monitor
        self._story = story
        self._report = report
        self._tarball = tarball

    async def perform(self) -> None:
        """The whole plot.

        Raises:
            DsmtError: something did not happen, or a command failed.
        """
        packages = await self._make_packages()
        await self._make_accounts()
        placed = await self._deploy(packages)
        lost, replacement = await self._lose_one(placed)
        await self._bring_back(lost)
        await self._measure(lost, placed, replacement)

    async def _make_packages(self) -> list[str]:
        if shutil.which("rpmbuild") is None:
            self._story.chapter("An application as a tarball, for rpmbuild is not installed")
            return [str(self._tarball)]
        self._story.chapter("An application becomes two packages")
        output = self._scenery.home / "packages"
        output.mkdir(exist_ok=True)
        words = rpmgen(self._tarball)
        self._story.typed(">", f"rpmgen {' '.join(words)}")
        await self._run([*_program("depot.rpmgen.main"), *words, "--output", str(output)])
        return sorted((str(path) for path in output.glob("*.rpm")), key=lambda path: "dsmtw_" in path)

    async def _make_accounts(self) -> None:
        self._story.chapter("A pi makes a slice for a user")
        await self._dsmtc(create(self._scenery.admin, self._scenery.password), prompt=">", as_admin=True)
        words = ("account", "passwd", "--role", "admin", USER)
        self._story.typed(">", f"dsmtc {' '.join(words)}")
        await self._dsmtc(Line(words), prompt="", as_admin=True)

    async def _deploy(self, packages: list[str]) -> list[Host]:
        self._story.chapter(f"The user follows the guide: {INSTANCES} instances of {APPLICATION}")
        prompt = f"dsmtc {USER} [user] {SLICE}>"
        for line in prepare(packages):
            await self._dsmtc(line, prompt=prompt)
        since = len(self._monitor.heard)
        await self._dsmtc(SETPLAN, prompt=prompt)
        returned = time.monotonic()
        last = await self._monitor.wait_for(
            is_running, count=INSTANCES, since=since, within_s=RUNNING_WITHIN_S
        )
        self._report.setplan_to_running_s = round(last.at - returned, 3)
        await self._dsmtc(STATUS, prompt=prompt)
        return [host_of(heard) for heard in self._monitor.heard[since:] if is_running(heard.event)]

    async def _lose_one(self, placed: list[Host]) -> tuple[Host, Host]:
        lost = placed[0]
        self._before = {host: eldest(self._scene.pids(host), APPLICATION) for host in placed}
        self._story.chapter(f"{lost} loses its power")
        since, killed = len(self._monitor.heard), time.monotonic()
        await self._scene.power_off(lost)
        self._story.note(f"{lost:22} all its processes were killed at once")
        new = await self._monitor.wait_for(is_running, since=since, within_s=REPLACED_WITHIN_S)
        self._report.loss_to_replacement_s = round(new.at - killed, 3)
        await self._dsmtc(STATUS, prompt=f"dsmtc {USER} [user] {SLICE}>")
        return lost, host_of(new)

    async def _bring_back(self, lost: Host) -> None:
        self._story.chapter(f"{lost} comes back, and gives up what moved away")
        since = len(self._monitor.heard)
        await self._scene.power_on(lost)

        def given_up(event: Event) -> bool:
            managed = (event.pairs.get("hostname"), event.pairs.get("component"), event.state)
            return managed == (lost, names.SLIVER_MGR, "terminated")

        await self._monitor.wait_for(given_up, since=since, within_s=GIVEN_UP_WITHIN_S)
        if eldest(self._scene.pids(lost), APPLICATION) is not None:
            raise DsmtError(f"{lost} gave its sliver up and still runs {APPLICATION}")
        await self._until_alive(lost)
        await self._dsmtc(STATUS, prompt=f"dsmtc {USER} [user] {SLICE}>")

    async def _until_alive(self, host: Host) -> None:
        deadline = time.monotonic() + GIVEN_UP_WITHIN_S
        while time.monotonic() < deadline:
            if any(node["host"] == host and node["state"] == "alive" for node in await self._nodes()):
                self._story.note(f"{host:22} is believed again")
                return
            await asyncio.sleep(0.3)
        raise DeadlinePassed(f"{host} was not alive again within {GIVEN_UP_WITHIN_S:g} s")

    async def _measure(self, lost: Host, placed: list[Host], replacement: Host) -> None:
        stayed = [host for host in placed if host != lost]
        self._report.spurious_restarts = sum(
            eldest(self._scene.pids(host), APPLICATION) != self._before[host] for host in stayed
        )
        hosts = [*stayed, replacement]
        pids = [pid for host in hosts for pid in self._scene.pids(host)]
        self._report.container_manager_rss_mb = rss_mb(pids, "agents.container_manager.main")
        self._report.agent_rss_mb = rss_mb(pids, "agents.deployment_agent.main")
        self._report.sliver_driver = (await self._nodes())[0]["facts"]["sliver_driver"]
        self._report.events = len(self._monitor.heard)

    async def _nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = json.loads(
            await self._dsmtc(Line(("nodes", "list", "--json")), prompt="")
        )
        return nodes

    async def _dsmtc(self, line: Line, *, prompt: str, as_admin: bool = False) -> str:
        """Play one line; in the slice as its user, or without a slice as the admin."""
        if prompt:
            shown = line.text.replace(self._scenery.password, "********")
            self._story.typed(prompt, f"dsmtc {shown}" if prompt == ">" else shown)
        words = [*_program("dsmtc.main"), *([] if as_admin else ["--slice", SLICE]), *line.words]
        said = await self._run(words, account=self._account(as_admin=as_admin))
        if prompt:
            self._story.said(said)
        return said

    def _account(self, *, as_admin: bool) -> Path:
        """The account file of three lines, as the guide has it."""
        who, role = (self._scenery.admin, "PI") if as_admin else (USER, "user")
        path = self._scenery.home / f"account-{role.lower()}"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"account: {who}\npassword: {self._scenery.password}\nrole: {role}\n")
        return path

    async def _run(self, words: list[str], *, account: Path | None = None) -> str:
        environment = os.environ | {
            "DSMT_PLANNER": self._scene.planner_url,
            "DSMT_HOME": str(self._scenery.home / "dsmtc"),
            USER_PASSWORD_ENV: self._scenery.password,
            "COLUMNS": "120",
        }
        if account is not None:
            environment["DSMT_ACCOUNT_FILE"] = str(account)
        process = await asyncio.create_subprocess_exec(
            *words, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(COMMAND_S):
                out, err = await process.communicate()
        except TimeoutError:
            raise DeadlinePassed(f"{' '.join(words[2:6])} did not end within {COMMAND_S:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise DsmtError(f"{' '.join(words[2:])} failed: {err.decode().strip()}")
        return out.decode()


def is_running(event: Event) -> bool:
    """Whether an application reports that it runs."""
    return event.state == "running" and event.pairs.get("component") == names.DEPLOYMENT_AGENT


def host_of(heard: Heard) -> Host:
    """The host that an event is about."""
    return Host(heard.event.pairs["hostname"])


def _program(module: str) -> list[str]:
    return [sys.executable, "-m", module]
