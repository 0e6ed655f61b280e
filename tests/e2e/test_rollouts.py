"""Roll-outs with real processes: what is broken goes back by itself, what is good goes through.

The planner is killed in the middle of the good one, and goes on with it when it is there again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dsmtc.client import Client
from dsmtc.client.rolled import Rollout
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage

SLICE, HOSTS = "rolls", 4
OLD, GOOD = App("XYZ", "1.8"), App("XYZ", "2.0")
BROKEN = App("XYZ", "1.9", {"start": "#!/bin/sh\necho no disk >&2\nexit 7\n"})
CHOSEN = {"min_healthy_s": 1, "deadline_s": 60}


def running(status: Any, version: str) -> int:
    return sum(
        one["state"] == "running" and one["version"].startswith(version)
        for host in status["hosts"]
        for one in host["applications"]
    )


async def start(stage: Stage, version: str) -> None:
    waves = ["1", "50%"]
    await stage.ask(
        lambda client: client.start_rollout(SLICE, "XYZ", version=version, waves=waves, chosen=CHOSEN)
    )


async def until(stage: Stage, phase: str, *, wave: int = 0, configuration: str = "") -> Rollout:
    def ask(client: Client) -> Rollout:
        return client.rollout(SLICE, "XYZ")

    async with asyncio.timeout(150):
        while True:
            rollout = await stage.ask(ask)
            is_meant = rollout.get("configuration", "") == configuration
            if is_meant and rollout["phase"] == phase and rollout["wave"] >= wave:
                return rollout
            await asyncio.sleep(0.2)


async def test_a_broken_version_goes_back_and_a_good_one_through_over_a_killed_planner(
    stages: Stages,
) -> None:
    async with stages(hosts=HOSTS) as stage:
        await stage.deploy(SLICE, OLD)
        await stage.until(lambda status: running(status, "1.8") == HOSTS, SLICE)

        await stage.put(SLICE, BROKEN)
        await start(stage, "1.9-1")
        back = await until(stage, "rolled back")
        assert back["failures"] == 1
        assert "exit code 7" in back["reason"]
        status = await stage.until(lambda status: running(status, "1.8") == HOSTS, SLICE)
        tried = {
            event.channel
            for event in stage.heard()
            if event.state == "failed" and event.pairs.get("version", "").startswith("1.9")
        }
        assert len(tried) == 1, "only one host ever saw it"

        await stage.put(SLICE, GOOD)
        await start(stage, "2.0-1")
        await until(stage, "running", wave=2)
        await asyncio.to_thread(stage.scene.planner.kill)
        await stage.scene.start_planner()
        done = await until(stage, "done")
        assert done["failures"] == 0
        status = await stage.until(lambda status: running(status, "2.0") == HOSTS, SLICE)
        assert status["waiting_reasons"] == []
        wish = {"values": {"greeting": "hi"}, **CHOSEN}
        begun = (await stage.ask(lambda client: client.configure(SLICE, "XYZ", wish)))["rollout"]
        digest = begun.get("configuration", "") if begun is not None else ""
        assert digest
        assert (await until(stage, "done", configuration=digest)).get("changes") == ["greeting is hi"]
        await stage.until(lambda status: running(status, "2.0") == HOSTS, SLICE)
        told = [event.pairs.get("configuration") for event in stage.heard() if event.state == "running"]
        assert told.count(digest) == HOSTS, "each was started once with it"

        said = [event.pairs["phase"] for event in stage.heard() if event.field == "rollout"]
        assert {"running", "rolling back", "rolled back", "done"} <= set(said)
