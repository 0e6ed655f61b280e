"""New versions, restarts, and agents that end in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agents import state_file
from agents.deployment_agent.installers.rpm import RpmInstaller
from dsmt_core.commands import Verb
from dsmt_core.packages import PackageRef
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, SLICE, Package, World, order, package, tarball

WALK = ["requested", "instantiated", "initialized", "running"]


async def _running(world: World, packages: Made) -> frozenset[int]:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    await _until_noted(world, "running")
    return (await world.sliver.processes(APP)).pids


async def _until_noted(world: World, state: str) -> None:
    """Told comes before noted: an agent that ends in between would tell it again."""
    async with asyncio.timeout(60):
        while _noted(world) != state:  # noqa: ASYNC110 - a file that is written tells nobody
            await asyncio.sleep(0.02)


def _noted(world: World) -> str:
    """The state of the application on the agent's record."""
    value = state_file.load(world.paths.own / "applications.json").value
    kept = value["applications"] if value else []
    return str(kept[0]["state"]) if kept else ""


async def test_an_update_brings_the_new_version(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    new = packages("2.0")
    world.node.add(*new)
    await world.order(order(Verb.UPDATE, 2, new, version="2.0-1"))
    await world.until_states(*WALK, *WALK)
    assert (world.place.root / "usr-local" / "demo" / "data").read_text() == "2.0"
    assert not before & (await world.sliver.processes(APP)).pids
    running = [event for event in world.events if event.state == "running"]
    assert [event.pairs.get("version") for event in running[-2:]] == ["1.0-1", "2.0-1"]


async def test_a_new_version_refused_by_digest_leaves_the_old_one_running(
    world: World, packages: Made
) -> None:
    before = await _running(world, packages)
    bad = PackageRef("0" * 64, 10, "demo-2.0.noarch.rpm")
    world.node.refused[bad.digest] = "the package is not what its digest says"
    await world.order(order(Verb.UPDATE, 2, (Package(Path(), bad),), version="2.0-1"))
    await world.until(lambda _: "digest" in world.last("status").get("reason", ""))
    assert world.states() == WALK
    assert (await world.sliver.processes(APP)).pids == before
    await world.until(lambda _: world.last("holdings").get(f"application.{APP}") == "2 running 0 1.0-1")


async def test_a_new_version_that_cannot_be_had_is_tried_again(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    new = packages("2.0")
    await world.order(order(Verb.UPDATE, 2, new, version="2.0-1"))
    await world.until(lambda _: "depot" in world.last("status").get("reason", ""))
    assert (await world.sliver.processes(APP)).pids == before
    world.node.add(*new)
    await world.until_states(*WALK, *WALK)


async def test_a_first_version_refused_by_digest_is_failed_with_the_reason(
    world: World, packages: Made
) -> None:
    made = packages()
    world.node.refused[made[0].ref.digest] = "the package is not what its digest says"
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "failed")
    failed = next(event for event in world.events if event.state == "failed")
    assert failed.pairs["reason"] == "the package is not what its digest says"


async def test_a_wrapper_without_what_it_requires_is_refused(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made[1:]))
    await world.until(lambda _: "failed" in world.states())
    reason = next(event.pairs["reason"] for event in world.events if event.state == "failed")
    assert reason == "dsmtw_demo requires demo = 1.0-1, which no package of the order provides"


async def test_a_restart_is_done_once(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    again = order(Verb.RESTART, 2, packages(), restarts=1)
    for _ in range(3):
        await world.order(again)
    await world.until_states(*WALK, *WALK)
    assert not before & (await world.sliver.processes(APP)).pids
    await world.until(lambda _: world.last("holdings").get(f"application.{APP}") == "2 running 1 1.0-1")


async def test_an_older_order_is_refused_and_answered(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    heard = len(world.events)
    await world.order(order(Verb.UNINSTALL, 0))
    await world.until(lambda events: any(e.field == "holdings" for e in events[heard:]))
    assert (await world.sliver.processes(APP)).pids == before


async def test_an_order_for_another_host_is_not_obeyed(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    await world.order(order(Verb.UNINSTALL, 5, host="h2.example.org"))
    await world.order(order(Verb.STOP, 6, packages(), slice=SLICE))
    await world.until(lambda _: world.states()[-1] == "terminated")
    assert before


async def test_an_agent_that_is_started_again_adopts_what_runs(world: World, packages: Made) -> None:
    before = await _running(world, packages)
    await world.end_agent()
    heard = len(world.events)
    await world.start_agent()
    await world.until(lambda events: any(e.field == "status" for e in events[heard:]))
    assert (await world.sliver.processes(APP)).pids == before
    assert world.states() == WALK
    assert "asks" not in world.last("holdings")


@pytest.mark.parametrize("state", ["requested", "instantiated", "initialized"])
async def test_an_agent_that_ends_in_the_middle_goes_on_there(
    world: World, packages: Made, state: str
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until(lambda _: state in world.states())
    await world.end_agent()
    await world.start_agent()
    await world.until(lambda _: "running" in world.states())
    told = world.states()
    assert [each for index, each in enumerate(told) if each not in told[:index]] == WALK
    assert "failed" not in told
    assert len((await world.sliver.processes(APP)).pids) == 1


async def test_after_a_restart_of_the_machine_it_asks_and_comes_up_alone(
    world: World, packages: Made
) -> None:
    await _running(world, packages)
    await world.end_agent()
    await world.reboot()
    heard = len(world.events)
    await world.start_agent()
    await world.until(lambda events: any(e.pairs.get("asks") for e in events[heard:]))
    assert world.states() == WALK
    await world.until_states(*WALK, *WALK)


async def test_a_tar_archive_is_unpacked_and_runs(world: World) -> None:
    scripts = {
        "start": "sleep 1000 & echo $! > pid",
        "status": 'kill -0 $(cat pid) && echo "$DSMT_APPLICATION $DSMT_VERSION $DSMT_HOST"',
    }
    made = package(tarball(world.place.directory / "demo-1.0.tgz", "1.0", scripts))
    world.node.add(made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, (made,), version="1.0"))
    await world.until_states(*WALK)
    await world.until(lambda _: world.last("status").get("text") == "demo 1.0 h1.example.org")
    assert (world.place.root / "app" / "demo" / "1.0" / "data").read_text() == "1.0"
    await world.order(order(Verb.UNINSTALL, 2))
    await world.until_states(*WALK, "terminated")
    assert not (world.place.root / "app" / "demo").exists()


async def test_within_walls_the_files_are_unpacked_where_rpm_is_missing(
    world: World, packages: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(_: RpmInstaller) -> bool:
        return False

    monkeypatch.setattr(RpmInstaller, "available", missing)
    made, new = packages(), packages("2.0", start="sleep 1000 &")
    world.node.add(*made, *new)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    await world.until(lambda _: "no scriptlets" in world.last("status").get("note", ""))
    await world.order(order(Verb.UPDATE, 2, new, version="2.0-1"))
    await world.until_states(*WALK, *WALK)
    directory = world.place.root / "usr-local" / "demo"
    assert sorted(path.name for path in directory.iterdir()) == ["data", "start.sh"]
    await world.order(order(Verb.UNINSTALL, 3))
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not directory.exists()


async def test_without_walls_the_files_are_unpacked_and_that_is_said(
    open_world: World, packages: Made
) -> None:
    world = open_world
    made = packages("1.0", start="sleep 1000 &")
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    await world.until(lambda _: "no scriptlets" in world.last("status").get("note", ""))
    assert (world.place.root / "usr/local/demo/data").read_text() == "1.0"
    await world.order(order(Verb.UNINSTALL, 2))
    await world.until_states(*WALK, "terminated")
    await world.until(lambda _: f"application.{APP}" not in world.last("holdings"))
    assert not (world.place.root / "usr/local/demo").exists()
