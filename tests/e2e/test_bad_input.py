"""Bad input and bad luck around the whole: a clear line, an exit code, and nothing lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from lab.sightings import eldest
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage
from tests.e2e.test_kill_matrix import all_run, starts


def program(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What a program said of an error: one line, perhaps a hint, never a trace."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 3, done.stderr
    return done.stderr


def test_a_broker_that_cannot_be_reached_is_named_in_one_line(tmp_path: Path) -> None:
    data = str(tmp_path / "planner")
    program("planner.main", "init", "--data", data, "--admin", "a@example.com", DSMT_PASSWORD="a-password")
    words = ["run", "--data", data, "--broker", "amqp://planner:x@127.0.0.1:1/", "--listen", "127.0.0.1:0"]
    said = one_line(program("planner.main", *words, "--broker-wait", "1"), 5)
    assert "broker" in said


def test_a_planner_that_cannot_be_reached_is_named_in_one_line(tmp_path: Path) -> None:
    words = ["--planner", "http://127.0.0.1:1", "--user", "a@example.com", "--password", "p", "slices"]
    assert "127.0.0.1:1" in one_line(program("dsmtc.main", *words, DSMT_HOME=str(tmp_path)), 5)


def depot_blobs(stage: Stage) -> list[Path]:
    return [path for path in (stage.home / "planner").rglob("blobs/**/*") if path.is_file()]


async def test_an_altered_package_is_refused_and_the_old_version_keeps_running(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        host = stage.hosts[0]
        await stage.deploy("xyz1", App("XYZ", "1.8"))
        await stage.until(all_run(1), "xyz1")
        before, known = eldest(stage.scene.pids(host), "XYZ"), set(depot_blobs(stage))
        await stage.put("xyz1", App("XYZ", "1.9"))
        for blob in set(depot_blobs(stage)) - known:
            if blob.suffix != ".json":
                blob.write_bytes(blob.read_bytes()[:-1] + b"!")
        since = len(stage.monitor.heard)
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "update"))
        heard = await stage.monitor.wait_for(
            lambda event: (
                "refused" in event.pairs.get("reason", "") and event.pairs.get("application") == "XYZ"
            ),
            since=since,
            within_s=120,
        )
        assert heard.event.pairs["state"] == "running"
        assert eldest(stage.scene.pids(host), "XYZ") == before
        status = await stage.ask(lambda client: client.status("xyz1"))
        application = status["hosts"][0]["applications"][0]
        assert (application["state"], application["version"]) == ("running", "1.8-1")
        assert application["wanted_version"] == "1.9-1"


async def test_an_update_replaces_the_old_version(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        await stage.deploy("xyz1", App("XYZ", "1.8"))
        await stage.until(all_run(1), "xyz1")
        await stage.put("xyz1", App("XYZ", "1.9"))
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "update"))
        await stage.until(
            lambda status: (
                status["hosts"][0]["applications"][0]["version"] == "1.9-1" and all_run(1)(status)
            ),
            "xyz1",
        )
        assert starts(stage.home, stage.hosts[0], "xyz1") == 2


async def test_stop_start_restart_and_uninstall_do_what_they_say(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        host = stage.hosts[0]
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(1), "xyz1")
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "stop"))
        await stage.states("XYZ", "terminated")
        assert eldest(stage.scene.pids(host), "XYZ") is None
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "start"))
        await stage.states("XYZ", "running", count=2)
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "restart"))
        await stage.states("XYZ", "running", count=3)
        since = len(stage.monitor.heard)
        await stage.ask(lambda client: client.act("xyz1", "XYZ", "uninstall"))
        await stage.states("XYZ", "terminated", since=since)
        assert eldest(stage.scene.pids(host), "XYZ") is None


def torn(home: Path, host: Host) -> list[Path]:
    """Tear every file of orders on a node in two, as a power cut may; what was torn."""
    sliver = home / host / "slivers" / "xyz1"
    files = [sliver / "order.json", *(sliver / "root" / "app" / ".dsmt").glob("*.json")]
    files = [path for path in files if path.exists()]
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return files


async def test_a_node_comes_back_from_a_power_cut_that_tore_its_orders(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        host = stage.hosts[0]
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(1), "xyz1")
        since = len(stage.monitor.heard)
        await stage.scene.power_off(host)
        assert len(torn(stage.home, host)) >= 2
        await stage.scene.power_on(host)
        await stage.states("XYZ", "running", since=since)
        await stage.until(all_run(1), "xyz1")
        assert starts(stage.home, host, "xyz1") == 2


def slept(stage: Stage, host: Host) -> tuple[int, float] | None:
    """The application's own process; while it is started, the start script is the eldest."""
    found = eldest(stage.scene.pids(host), "XYZ")
    try:
        return found if found and psutil.Process(found[0]).name() == "sleep" else None
    except psutil.NoSuchProcess:
        return None


async def test_a_node_boots_and_runs_its_application_without_planner_and_broker(stages: Stages) -> None:
    async with stages(hosts=1, own_broker=True) as stage:
        host = stage.hosts[0]
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(1), "xyz1")
        await asyncio.to_thread(stage.scene.planner.kill)
        await asyncio.to_thread(stage.scene.server.kill)
        await stage.scene.power_off(host)
        await stage.scene.power_on(host)
        await stage.eventually(lambda: starts(stage.home, host, "xyz1") == 2)
        alone = await stage.eventually(lambda: slept(stage, host))
        await asyncio.to_thread(stage.scene.server.start)
        await stage.scene.start_planner()
        await stage.until(all_run(1), "xyz1", within_s=120)
        assert eldest(stage.scene.pids(host), "XYZ") == alone


async def a_second_node_of_the_same_name(stage: Stage, data: Path) -> None:
    token = await stage.ask(lambda client: client.invite()["token"])
    words = ["--planner", stage.scene.planner_url, "--host", stage.hosts[0], "--data", str(data)]
    done = await asyncio.to_thread(program, "agents.container_manager.main", *words, DSMT_NODE_TOKEN=token)
    # dsmt-node tells its story on stderr too; the error is its last word.
    assert done.returncode == 6, done.stderr
    assert "Traceback" not in done.stderr
    assert stage.hosts[0] in done.stderr


async def a_second_planner_on_the_same_database(stage: Stage) -> None:
    words = ["run", "--data", str(stage.home / "planner"), "--listen", "127.0.0.1:0"]
    broker = stage.scene.server.url("planner")
    done = await asyncio.to_thread(program, "planner.main", *words, DSMT_BROKER=broker)
    one_line(done, 6)


async def a_second_planner_on_the_same_port(stage: Stage) -> None:
    taken = stage.scene.planner_url.removeprefix("http://")
    other = stage.home / "other"
    await asyncio.to_thread(shutil.copytree, stage.home / "planner", other)
    words = ["run", "--data", str(other), "--listen", taken]
    broker = stage.scene.server.url("planner")
    done = await asyncio.to_thread(program, "planner.main", *words, DSMT_BROKER=broker)
    assert "in use" in one_line(done, 6)


async def a_file_that_is_not_a_package(stage: Stage) -> None:
    text = stage.home / "not-a-package.rpm"
    text.write_bytes(b"just text")
    with pytest.raises(Invalid, match="not a package"):
        await stage.ask(lambda client: client.put_package("xyz1", text))
    packages = await stage.ask(lambda client: client.packages("xyz1"))
    assert len(packages) == 2


async def test_what_is_refused_is_told_and_harms_nothing(stages: Stages, tmp_path: Path) -> None:
    async with stages(hosts=1) as stage:
        host = stage.hosts[0]
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(1), "xyz1")
        before = eldest(stage.scene.pids(host), "XYZ")
        await a_second_node_of_the_same_name(stage, tmp_path / "x")
        await a_second_planner_on_the_same_database(stage)
        await a_second_planner_on_the_same_port(stage)
        await a_file_that_is_not_a_package(stage)
        await stage.until(all_run(1), "xyz1")
        assert eldest(stage.scene.pids(host), "XYZ") == before
        assert starts(stage.home, host, "xyz1") == 1
