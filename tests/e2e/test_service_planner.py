"""A service planner of one's own, for real: the load goes up, the count follows, and down again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.conftest import Stages
from tests.e2e.stage import ADMIN, PASSWORD, Stage
from tests.e2e.test_applications_speak import ROOT, packages

DEMAND = "/com/example/loaded/demand/"


async def deploy(stage: Stage) -> None:
    """One instance of the example `loaded`."""
    folder = stage.home / "loaded"
    folder.mkdir()
    await stage.ask(lambda client: client.create("s1"))
    await stage.ask(lambda client: client.set_plan("s1", "limit", {"count": "1"}))
    for path in await asyncio.to_thread(packages, "loaded", ["start", "status"], folder):
        await stage.ask(lambda client, path=path: client.put_package("s1", path))  # type: ignore[misc]
    await stage.until(lambda status: status["running"] == 1, "s1")


async def demand(stage: Stage, much: float) -> None:
    """So many instances' worth of work is to be done from now on."""
    said = {"channel": DEMAND, "field": "demand", "value": f"{much}", "emit_rate": 600, "expiry": 3600}
    await stage.ask(lambda client: client.publish(said))


@asynccontextmanager
async def autoscaler(stage: Stage, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    words = ["--slice", "s1", "--user", ADMIN, "--planner", stage.scene.planner_url]
    words += ["--most", "3", "--cool-down", "3", "--period", "1"]
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "examples" / "autoscaler" / "autoscaler.py"), *words),
            env=os.environ | {"DSMT_OPERATOR_BROKER": stage.scene.operator_url, "DSMT_PASSWORD": PASSWORD},
            stdout=told,
            stderr=told,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def counts(log: Path) -> list[str]:
    """The changes that it tells; it tells one after the planner has taken it."""
    return [line.partition(",")[0] for line in log.read_text().splitlines()]


async def test_the_count_follows_the_load_up_and_down_again(stages: Stages) -> None:
    async with stages(hosts=3) as stage:
        await deploy(stage)
        await demand(stage, 0.5)
        log = stage.home / "autoscaler.log"
        async with autoscaler(stage, log) as process:
            await demand(stage, 2.0)
            await stage.until(lambda status: status["running"] == 3, "s1")
            await demand(stage, 0.5)
            await stage.until(
                lambda status: (
                    (status["running"], status["wanted"]) == (1, 1) and counts(log)[-1:] == ["2 -> 1"]
                ),
                "s1",
            )
            assert process.returncode is None
        assert counts(log)[:2] == ["1 -> 2", "2 -> 3"], log.read_text()
