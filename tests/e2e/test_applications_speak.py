"""The two examples that speak on PsEPR, deployed into real slivers as packages made by rpmgen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import broker
from broker.application import Application
from depot.rpmgen.tarball import make_tarball
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage

ROOT = Path(__file__).parents[2]
WITHIN_S = 120.0
WHY = "applications have no way to PsEPR here: this broker lives inside one process of DSMT"
RESULTS = "/com/example/shared_work/results/"


def packages(name: str, scripts: list[str], folder: Path) -> list[Path]:
    """The example ``name`` and its wrapper, in this order."""
    tarball = make_tarball(ROOT / "examples" / name, f"{name}-1.8", folder / f"{name}-1.8.tgz")
    command = [sys.executable, "-m", "depot.rpmgen.main", "--installdir", "/usr/local"]
    command += ["--file", str(tarball), "--output", str(folder)]
    for script in scripts:
        command += [f"--{script}", f"/usr/local/{name}/{script}.sh"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    made = [path for path in folder.glob("*.rpm") if name in path.name]
    return sorted(made, key=lambda path: path.name.startswith("dsmtw_"))


async def deploy(stage: Stage, name: str, scripts: list[str]) -> None:
    folder = stage.home / name
    folder.mkdir()
    for path in await asyncio.to_thread(packages, name, scripts, folder):
        await stage.ask(lambda client, path=path: client.put_package("s1", path))  # type: ignore[misc]
    await stage.states(name, "running", count=len(stage.hosts))


async def tabled(stage: Stage, count: int) -> str:
    """What the monitor of the example shows when it has seen so many pingers."""
    monitor = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples" / "pinger_monitor" / "monitor.py")),
        *("--count", str(count)),
        env=os.environ | {"DSMT_OPERATOR_BROKER": stage.scene.operator_url, "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            shown, _ = await monitor.communicate()
    finally:
        if monitor.returncode is None:
            monitor.kill()
    assert monitor.returncode == 0
    return shown.decode()


async def shared_by_all(stage: Stage) -> None:
    """Wait until each of the 60 items is done by exactly one instance, and each instance does some."""
    wanted = {f"{host}/s1/shared_work" for host in stage.hosts}
    async with (
        asyncio.timeout(WITHIN_S),
        broker.connected(stage.scene.operator_url) as bus,
        Application(bus, "observer").view(RESULTS) as view,
    ):
        async for now in view.changes():
            done = Counter(key.instance for key in now)
            # The one that was there first does all of them until it hears of the other.
            if (
                len({key.field for key in now}) == len(now) == 60
                and done.keys() == wanted
                and min(done.values()) >= 10
            ):
                return
    raise AssertionError("the view has ended")


async def test_deployed_applications_publish_listen_and_share(stages: Stages) -> None:
    async with stages(hosts=2) as stage:
        await stage.ask(lambda client: client.create("s1"))
        await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))
        await deploy(stage, "pinger", ["start", "stop", "status"])
        shown = await tabled(stage, 2)
        for host in stage.hosts:
            assert f"{host}/s1/pinger" in shown
        assert "rtt_ms" in shown
        await deploy(stage, "shared_work", ["start", "status"])
        await shared_by_all(stage)


async def test_in_the_embedded_world_the_application_is_told_why_and_goes_on(stages: Stages) -> None:
    async with stages("embedded", hosts=1) as stage:
        await stage.ask(lambda client: client.create("s1"))
        await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))
        await deploy(stage, "pinger", ["start", "stop", "status"])
        log = stage.home / stage.hosts[0] / "slivers" / "s1" / "root" / "var" / "pinger" / "log"
        # It says so in the background, after the start.
        await stage.eventually(lambda: log.exists() and log.read_text().count("\n") >= 2)
        assert log.read_text().splitlines() == [
            f"dsmt-event: {WHY}",
            "  use RabbitMQ (make demo, dsmtc dev) for applications that publish or listen",
        ]
        measured = log.with_name("state")
        before = measured.read_text()
        await stage.eventually(lambda: measured.read_text() != before)
