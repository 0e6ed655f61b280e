"""The agent with the broker away, and agents that are not there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agents import bootstrap
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


async def test_orders_that_cannot_be_read_on_disk_are_asked_for_again(world: World, packages: Made) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    before = (await world.sliver.processes(APP)).pids
    await world.end_agent()
    file = world.paths.own / "applications.json"
    file.write_text(file.read_text()[:100])
    heard = len(world.events)
    await world.start_agent()
    await world.until(lambda events: any(e.pairs.get("asks") for e in events[heard:]))
    assert (await world.sliver.processes(APP)).pids == before
    assert file.with_name("applications.json.torn-1").exists()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK, *WALK)
    assert (await world.sliver.processes(APP)).pids == before
