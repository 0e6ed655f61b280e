"""The agent with the broker away, and agents that are not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents import bootstrap, state_file
from broker.server.ports import HeldPort
from dsmt_core.commands import Verb
from dsmt_core.errors import NotFound
from dsmt_core.names import DEPLOYMENT_AGENT
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, World, order

WALK = ["requested", "instantiated", "initialized", "running"]


async def _until_it_runs(world: World) -> None:
    for _ in range(1_200):
        if (await world.sliver.processes(APP)).pids:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the application did not come up within 60 s")


async def test_after_a_reboot_without_a_broker_the_application_comes_up(
    world: World, packages: Made
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    await world.end_agent()
    await world.reboot()
    closed = HeldPort()
    away = replace(world.config, broker=f"amqp://node:x@127.0.0.1:{closed.number}/%2F")
    task = asyncio.create_task(bootstrap.serve(away, world.paths))
    try:
        await _until_it_runs(world)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_agent_that_nobody_knows_is_failed_once(world: World) -> None:
    world.config = replace(world.config, agent="plush")
    for _ in range(2):
        await world.start_agent()
        assert world.agent is not None
        with pytest.raises(NotFound, match="there is no agent 'plush'"):
            await world.agent
        world.agent = None
        await world.end_agent()
    await world.until_states("requested", "failed", managed=DEPLOYMENT_AGENT)


def _torn(file: Path) -> None:
    file.write_text(file.read_text()[:100])


def _of_another_dsmt(file: Path) -> None:
    """Whole, and still not to be understood."""
    value = state_file.load(file).value
    assert value is not None
    value["applications"][0]["life"] = "of tomorrow"
    state_file.save(file, value)


def _a_directory(file: Path) -> None:
    file.unlink()
    (file / "within").mkdir(parents=True)


def _a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


@pytest.mark.parametrize("spoil", [_torn, _of_another_dsmt, _a_directory, _a_link, Path.unlink])
async def test_orders_that_are_lost_on_disk_are_asked_for_again_and_nothing_is_restarted(
    world: World, packages: Made, spoil: Callable[[Path], None]
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    before = (await world.sliver.processes(APP)).pids
    await world.end_agent()
    file = world.paths.own / "applications.json"
    spoil(file)
    heard = len(world.events)
    await world.start_agent()
    await world.until(lambda events: any(e.pairs.get("asks") for e in events[heard:]))
    assert (await world.sliver.processes(APP)).pids == before
    assert file.with_name("applications.json.torn-1").exists() is (spoil is not Path.unlink)
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK, *WALK)
    assert (await world.sliver.processes(APP)).pids == before
    # And what it follows now is on disk again; a report comes after it was written down.
    heard = len(world.events)
    await world.until(lambda events: any(e.pairs.get("state") == "running" for e in events[heard:]))
    await world.end_agent()
    await world.start_agent()
    await world.until(lambda _: world.last("status").get("generation") == "1")
    assert (await world.sliver.processes(APP)).pids == before
    assert world.states() == [*WALK, *WALK]
