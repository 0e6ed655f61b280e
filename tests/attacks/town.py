"""An installation for attacks: a broker of its own, a planner, two nodes, and the slices of two tenants."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from broker.parties import Kind, Party
from dsmt_core.names import Host, Slice
from lab.processes import ProcessScene
from lab.scene import HOSTS, Scenery
from tests.e2e.application import App

ADMIN, PASSWORD = "pi@example.com", "a-test-password"
ALPHA, BETA = Slice("alpha"), Slice("beta")
HERE, THERE = HOSTS[0], HOSTS[1]
# A reboot with all that runs there, on a machine that a dozen others want.
WITHIN_S: Final = 120.0
# Longer than a receiver waits before it tells again what it refused.
AGAIN_S: Final = 6.0


@dataclass(frozen=True)
class Loot:
    """What whoever has taken over a party holds: the URL with which it connects."""

    party: Party
    url: str

    @property
    def user(self) -> str:
        return self.party.user


class Town:
    """Real processes; `stop` ends them all."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.scene = ProcessScene(
            Scenery(
                home=home / "scene",
                hosts=(HERE, THERE),
                admin=ADMIN,
                password=PASSWORD,
                status_period_s=1.0,
            )
        )
        self.app = App(name="victim")

    async def start(self) -> None:
        try:
            await self.scene.start()
            await asyncio.to_thread(self._deploy)
        except BaseException:
            await self.scene.stop()
            raise

    async def stop(self) -> None:
        await self.scene.stop()

    def loot(self, kind: Kind, slice_: Slice = ALPHA, host: Host = HERE) -> Loot:
        """What a party of this kind holds, from where it keeps it."""
        if kind is Kind.NODE:
            return Loot(Party(kind, host=host), self._held(host, "node.json")["broker"])
        if kind is Kind.SLICE:
            with self.scene.client() as client:
                return Loot(Party(kind, slice_), client.broker(slice_))
        held = self._held(host, f"slivers/{slice_}/agent.json")
        return Loot(
            Party(kind, slice_, host), held["broker" if kind is Kind.AGENT else "application_broker"]
        )

    def vitals(self) -> Any:
        """Who runs what, and which process it is; read when everything is well, or what is wrong."""
        return self.until(self._vitals)

    def until(self, look: Callable[[], Any], again: Callable[[], object] | None = None) -> Any:
        """What ``look`` gives once it counts as true; ``again`` is done now and then while it does not."""
        now = time.monotonic()
        deadline, again_at = now + WITHIN_S, now + AGAIN_S
        while not (found := look()):
            assert time.monotonic() < deadline, self.told()
            if again is not None and time.monotonic() >= again_at:
                again()
                again_at = time.monotonic() + AGAIN_S
            time.sleep(0.2)
        return found

    def told(self) -> Any:
        """How it is, for a failure."""
        with self.scene.client() as client:
            return {name: client.status(name)["hosts"] for name in (ALPHA, BETA)}

    def entered(
        self,
        about: str,
        reason: str,
        slice_: str = "",
        *,
        user: str = "",
        again: Callable[[], object] | None = None,
    ) -> Any:
        """The first entry in the audit log that tells of such a refusal, once there is one.

        A receiver tells a few kinds every few seconds, and counts the others: among many attempts one may
        have to be made again to have an entry of its own.

        Args:
            about: whom it is about: the planner refuses deliveries, others refuse orders.
            reason: a part of it.
            slice_: of which.
            user: of the broker, as whom it was said; empty for any.
            again: makes the attempt again.
        """
        word = "delivery.refused" if about == "planner" else "order.refused"

        def told(one: Any) -> bool:
            whose = user in {"", dict(one["change"]).get("user", "")}
            return whose and reason in one["outcome"] and one["slice"] == slice_

        def found() -> Any:
            with self.scene.client() as client:
                entries = client.audit({"act": word, "about": about, "refused": True, "limit": 1000})
            return next(filter(told, entries), None)

        return self.until(found, again)

    def dead_letters(self) -> int:
        """How many messages were refused until now."""
        queues = self.scene.server.management.queues("dsmt")
        return sum(int(one.get("messages", 0)) for one in queues if one["name"].startswith("dsmt.dead"))

    def _vitals(self) -> Any:
        with self.scene.client() as client:
            status = [client.status(name) for name in (ALPHA, BETA)]
        hosts = [(one["slice"], host) for one in status for host in one["hosts"]]
        states = [
            (name, each["host"], each["applications"][0]["state"])
            for name, each in hosts
            if each["applications"]
        ]
        if len(states) != 4 or any(state != "running" for _, _, state in states):
            return None
        pids = [self._pid(host, slice_) for slice_ in (ALPHA, BETA) for host in (HERE, THERE)]
        return [states, pids] if all(pids) else None

    def _pid(self, host: Host, slice_: Slice) -> str:
        root = self.home / "scene" / host / "slivers" / slice_ / "root" / "var"
        starts = (root / "starts").read_text() if (root / "starts").exists() else ""
        return f"{(root / 'pid').read_text().strip()} {starts.count('started')}" if starts else ""

    def _deploy(self) -> None:
        folder = self.home / "packages"
        folder.mkdir()
        paths = self.app.packages(folder)
        with self.scene.client() as client:
            for name in (ALPHA, BETA):
                client.create(name)
                for path in paths:
                    client.put_package(name, path)
                client.set_plan(name, "all_nodes", {})

    def _held(self, host: Host, name: str) -> dict[str, Any]:
        path = self.scene.scenery.home / host / name
        found: dict[str, Any] = self.until(lambda: path.exists() and json.loads(path.read_text()))
        return found
