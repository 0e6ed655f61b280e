"""A scene with a monitor and a client, for tests that want the whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from broker.server.private import PrivateBroker
from dsmt_core import names
from dsmt_core.errors import DeadlinePassed
from dsmt_core.events import Event
from dsmtc.client import Client, Credentials, answers
from lab.embedded import EmbeddedScene
from lab.monitor import Heard, Monitor
from lab.processes import ProcessScene
from lab.scene import HOSTS, Scenery
from tests.e2e.application import App

T = TypeVar("T")

WITHIN_S = 120.0
ADMIN, PASSWORD = "pi@example.com", "a-test-password"


class Stage:
    """``async with Stage(…) as stage``: everything runs, and everything has ended afterwards."""

    def __init__(
        self, kind: str, home: Path, *, hosts: int = 2, server: PrivateBroker | None = None, vhost: str = ""
    ) -> None:
        self.hosts = HOSTS[:hosts]
        # On a busy machine a node that lives may say nothing for three seconds, and would be replaced.
        self.scenery = Scenery(
            home=home,
            hosts=self.hosts,
            heartbeat_s=2.0,
            admin=ADMIN,
            password=PASSWORD,
            status_period_s=1.0,
        )
        self.home = home
        self.scene: Any = (
            EmbeddedScene(self.scenery)
            if kind == "embedded"
            else ProcessScene(self.scenery, server=server, vhost=vhost)
        )
        self.monitor: Monitor
        self._token = ""

    def by_podman(self, socket: Path) -> Self:
        """Have the nodes make slivers out of images by the podman that serves there."""
        self.scenery = self.scene.scenery = replace(self.scenery, podman=str(socket))
        return self

    async def __aenter__(self) -> Self:
        try:
            await self.scene.start()
            self.monitor = Monitor(self.scene.operator_url, journal=self.home / "events.jsonl")
            await self.monitor.__aenter__()
        except BaseException:
            await self.scene.stop()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.monitor.__aexit__(*exc)
        await self.scene.stop()

    async def ask(self, what: Callable[[Client], T]) -> T:
        """Have the planner asked, in a thread, as the first account."""
        return await asyncio.to_thread(self._ask, what)

    async def deploy(self, slice_: str, *apps: App, plan: str = "all_nodes") -> None:
        """Make a slice with these applications and set its plan."""
        await self.ask(lambda client: client.create(slice_))
        for app in apps:
            await self.put(slice_, app)
        await self.ask(lambda client: client.set_plan(slice_, plan, {}))

    async def put(self, slice_: str, app: App) -> None:
        """Put an application's packages into the depot."""
        folder = self.home / f"{app.name}-{app.version}"
        folder.mkdir(exist_ok=True)
        for path in await asyncio.to_thread(app.packages, folder):
            await self.ask(lambda client, path=path: client.put_package(slice_, path))  # type: ignore[misc]

    async def states(
        self, application: str, state: str, *, count: int = 1, since: int = 0, within_s: float = WITHIN_S
    ) -> Heard:
        """Wait until an application has been in ``state`` ``count`` times."""
        return await self.monitor.wait_for(
            lambda event: is_state(event, application, state), count=count, since=since, within_s=within_s
        )

    async def until(self, holds: Callable[[Any], bool], slice_: str, *, within_s: float = WITHIN_S) -> Any:
        """Wait until the status of a slice satisfies ``holds``."""
        deadline = time.monotonic() + within_s
        while True:
            status = await self.ask(lambda client: client.status(slice_))
            if holds(status):
                return status
            if time.monotonic() > deadline:
                late = DeadlinePassed(f"after {within_s:g} s the status is still {status}")
                late.add_note(self._logs())
                raise late
            await asyncio.sleep(0.2)

    def _logs(self) -> str:
        """The ends of what the processes logged: the directory may be gone when somebody reads of it."""
        ends = {path.name: path.read_text(errors="replace")[-2_000:] for path in self.home.glob("*.log")}
        return "\n".join(f"--- {name}\n{end}" for name, end in sorted(ends.items()))

    async def eventually(self, what: Callable[[], T], *, within_s: float = WITHIN_S) -> T:
        """Wait until ``what`` gives something that counts as true."""
        deadline = time.monotonic() + within_s
        while not (found := what()):
            if time.monotonic() > deadline:
                raise DeadlinePassed(f"nothing within {within_s:g} s")
            await asyncio.sleep(0.2)
        return found

    def heard(self, since: int = 0) -> list[Event]:
        """What the monitor heard."""
        return [item.event for item in self.monitor.heard[since:]]

    def _ask(self, what: Callable[[Client], T]) -> T:
        # One login for all: a password is slow to check on purpose, and tests ask five times a second.
        admin = Credentials(self.scenery.admin, self.scenery.password, token=self._token)
        with Client(self.scene.planner_url, admin, on_login=self._logged_in) as client:
            return what(client)

    def _logged_in(self, login: answers.Login) -> None:
        self._token = login["token"]


def is_state(event: Event, application: str, state: str) -> bool:
    """Whether an agent reports this state of this application."""
    return (
        event.state == state
        and event.pairs.get("managed") == application
        and event.pairs.get("component") == names.DEPLOYMENT_AGENT
    )
