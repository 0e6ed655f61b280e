"""Upgrades in place: the version before runs until the new one lies beside it, and is back if need be."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.deployment_agent.decide import Periods
from dsmt_core.commands import Verb
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, Package, World, order, package, tarball

WALK = ["requested", "instantiated", "initialized", "running"]
START = "sleep 1000 & echo $! > /app/pid"
STATUS = 'kill -0 $(cat /app/pid) 2>/dev/null && echo "$DSMT_VERSION" && exit 0; exit 3'
GOOD = {"start": START, "status": STATUS}
ILL = {"start": "echo its port is taken; exit 1", "status": STATUS}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is well for a second has proved well."""
    whole = Periods(proof_s=1.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: whole)


def _tar(world: World, version: str, scripts: dict[str, str]) -> tuple[Package, ...]:
    made = package(tarball(world.place.directory / f"demo-{version}.tgz", version, scripts))
    world.node.add(made)
    return (made,)


def _versions(world: World) -> list[str]:
    return sorted(path.name for path in (world.place.root / "app" / "demo").iterdir())


async def _settles(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not what():  # noqa: ASYNC110 - it is files that are waited for
            await asyncio.sleep(0.05)


async def _proved(world: World, packages: tuple[Package, ...], version: str) -> frozenset[int]:
    """This version runs and has proved well."""
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, packages, version=version))
    await world.until_states(*WALK)
    heard = len(world.events)
    await world.until(lambda events: sum(e.field == "status" for e in events[heard:]) > 2)
    return (await world.sliver.processes(APP)).pids


async def test_the_version_before_goes_when_the_new_one_has_proved_well(world: World) -> None:
    before = await _proved(world, _tar(world, "1.0", GOOD), "1.0")
    await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", GOOD), version="2.0"))
    await world.until_states(*WALK, *WALK)
    assert not before & (await world.sliver.processes(APP)).pids
    await _settles(lambda: _versions(world) == ["2.0"])


async def test_a_version_that_does_not_start_is_given_up_and_the_one_before_is_back(world: World) -> None:
    first = _tar(world, "1.0", GOOD)
    await _proved(world, first, "1.0")
    await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", ILL), version="2.0"))
    gave_up = "2.0 the start script ended with exit code 1: its port is taken"
    await world.until(lambda _: world.last("status").get("gave-up") == gave_up)
    await world.until(lambda _: world.last("status").get("text") == "1.0")
    failed = [event.pairs for event in world.events if event.state == "failed"]
    assert failed[-1]["version"] == "2.0"
    assert failed[-1]["reason"].startswith("gave up 2.0: the start script ended with exit code 1")
    assert failed[-1]["reason"].endswith("1.0 comes back")
    await world.until(lambda _: world.last("holdings").get(f"gave-up.{APP}") == gave_up)
    await _settles(lambda: _versions(world) == ["1.0"])


async def test_the_same_version_with_another_content_lies_beside_too(world: World) -> None:
    await _proved(world, _tar(world, "1.0", GOOD), "1.0")
    await world.order(order(Verb.UPDATE, 2, _tar(world, "1.0", {**GOOD, "more": ":"}), version="1.0"))
    await world.until_states(*WALK, *WALK)
    await _settles(lambda: len(_versions(world)) == 1)
    assert _versions(world)[0].startswith("1.0+")


async def test_an_archive_that_is_refused_stops_nothing(world: World) -> None:
    before = await _proved(world, _tar(world, "1.0", GOOD), "1.0")
    torn = world.place.directory / "torn.tgz"
    torn.write_bytes(_tar(world, "2.0", GOOD)[0].path.read_bytes()[:200])
    bad = package(torn)
    world.node.add(bad)
    await world.order(order(Verb.UPDATE, 2, (bad,), version="2.0"))
    await world.until(lambda _: world.last("status").get("gave-up", "").startswith("2.0 "))
    assert (await world.sliver.processes(APP)).pids == before
    assert _versions(world) == ["1.0"]


@pytest.mark.parametrize("at", ["requested", "instantiated", "initialized", "failed"])
async def test_an_agent_that_ends_while_a_version_is_tried_goes_on_there(world: World, at: str) -> None:
    await _proved(world, _tar(world, "1.0", GOOD), "1.0")
    heard = len(world.states())
    await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", ILL), version="2.0"))
    await world.until(lambda _: at in world.states()[heard:])
    await world.end_agent()
    await world.start_agent()
    await world.until(lambda _: world.last("status").get("gave-up", "").startswith("2.0 "))
    await world.until(lambda _: world.last("status").get("text") == "1.0")
    assert len((await world.sliver.processes(APP)).pids) == 1


async def test_an_rpm_is_given_up_and_the_one_before_installed_again_without_a_depot(
    world: World, packages: Made
) -> None:
    made, ill = packages(), packages("2.0", start="exit 1", status="exit 3")
    world.node.add(*made, *ill)
    await _proved(world, made, "1.0-1")
    await world.order(order(Verb.UPDATE, 2, ill, version="2.0-1"))
    await world.until(lambda _: "failed" in world.states())
    world.node.refused |= {each.ref.digest: "the depot is away" for each in (*made, *ill)}
    await world.until(lambda _: world.last("status").get("gave-up", "").startswith("2.0-1 "))
    await world.until(lambda _: world.last("status").get("text") == "ok")
    directory = world.place.root / "usr-local" / "demo"
    assert (directory / "data").read_text() == "1.0"
    assert sorted(path.name for path in directory.iterdir()) == [
        "data",
        "start.sh",
        "status.sh",
        "stop.sh",
    ]


async def test_a_tar_archive_may_follow_an_rpm_and_back(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await _proved(world, made, "1.0-1")
    await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", ILL), version="2.0"))
    await world.until(lambda _: world.last("status").get("gave-up", "").startswith("2.0 "))
    await world.until(lambda _: world.last("status").get("text") == "ok")
    await world.order(order(Verb.UPDATE, 3, _tar(world, "3.0", GOOD), version="3.0"))
    await world.until(lambda _: world.last("status").get("text") == "3.0")
    data: Path = world.place.root / "usr-local" / "demo" / "data"
    await _settles(lambda: not data.exists())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
async def test_a_disk_that_is_full_in_the_middle_of_unpacking_stops_nothing(open_world: World) -> None:
    world = open_world
    disk = world.place.root / "app"
    mount = ("mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "dsmt-test", str(disk))
    await asyncio.to_thread(subprocess.run, mount, check=True)
    try:
        scripts = {"start": "sleep 1000 &", "status": 'echo "$DSMT_VERSION"'}
        before = await _proved(world, _tar(world, "1.0", scripts), "1.0")
        large = {**scripts, "large": "".join(f": {os.urandom(32).hex()}\n" for _ in range(100_000))}
        await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", large), version="2.0"))
        await world.until(lambda _: "No space left" in str([e.pairs for e in world.events]))
        heard = len(world.events)
        await world.until(lambda events: sum(e.field == "status" for e in events[heard:]) > 2)
        assert (await world.sliver.processes(APP)).pids == before
        assert world.last("status")["text"] == "1.0"
        larger = ("mount", "-o", "remount,size=64m", str(disk))
        await asyncio.to_thread(subprocess.run, larger, check=True)
        await world.order(order(Verb.RESTART, 3, _tar(world, "2.0", large), version="2.0", restarts=1))
        await world.until(lambda _: world.last("status").get("text") == "2.0")
        # Its directory has another name where what was half unpacked had not gone yet.
        await _settles(lambda: [name.partition("+")[0] for name in _versions(world)] == ["2.0"])
    finally:
        await world.end_agent()
        await asyncio.to_thread(subprocess.run, ("umount", "-l", str(disk)), check=True)
