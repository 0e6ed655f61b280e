"""The clock of a node is set, or wrong from the beginning: the agent restarts nothing and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.directory_driver import agent_command
from agents.container_manager.slivers.driver import AgentCommand
from agents.container_manager.slivers.place import Place
from agents.local_socket import ask
from broker.server.private import PrivateBroker
from dsmt_core.commands import Verb
from dsmt_core.events import Event
from dsmt_core.watch import Watch
from tests.clocks import HOUR_S, Clock, environment
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, GOOD, HOST, SLICE, World, made_world, order

WALK = ["requested", "instantiated", "initialized", "running"]
SEEN = Path("/opt/clock")


class ClockedDriver(BubblewrapDriver):
    """Slivers whose init and agent go by a clock of their own."""

    off_s = 0
    clock: Clock

    def create(self, place: Place) -> None:
        super().create(place)
        self.clock = Clock(place.root / "opt" / "clock", seen=SEEN, off_s=self.off_s)

    def _init_command(self, place: Place) -> list[str]:
        told = [f"{name}={value}" for name, value in self.clock.environment.items()]
        return ["/usr/bin/env", *told, *super()._init_command(place)]


@pytest.fixture(params=[-5 * HOUR_S, 24 * 365 * 3 * HOUR_S], ids=["behind", "ahead"])
async def clocked(
    request: pytest.FixtureRequest, tmp_path: Path, rabbit: PrivateBroker, vhost: str
) -> AsyncIterator[World]:
    """A sliver whose init keeps the real `dsmt-agent` running, and whose clock is so wrong at the start."""
    driver = ClockedDriver()
    driver.off_s = request.param
    command = AgentCommand(
        agent_command(), {"DSMT_RUN": "/run/dsmt", "PATH": os.defpath, **environment(SEEN)}
    )
    urls = rabbit.url("planner", vhost), rabbit.url("node", vhost)
    async with made_world(tmp_path, driver, urls, agent=command) as world:
        values = {
            "host": HOST,
            "slice": SLICE,
            "broker": urls[1],
            "queue": world.config.queue,
            "status_period": 1.0,
            "boot_id": "machine1",
        }
        owner = driver.owner(world.place)
        state_file.save(world.place.shown_agent_file, values, mode=0o400, owner=owner)
        ask(world.place.init_socket, {"op": "agent", "start": True}, timeout_s=60)
        yield world


def _reported(event: Event) -> bool:
    return event.pairs.get("application") == APP


async def _reports(world: World, off_s: float, count: int = 3) -> None:
    """So many more reports of the application are heard that were sent by this clock."""
    heard = len(world.events)

    def by_it(event: Event) -> bool:
        return _reported(event) and abs(event.sent_at - time.time() - off_s) < HOUR_S / 2

    await world.until(lambda events: sum(map(by_it, events[heard:])) >= count)


async def test_whatever_the_clock_does_what_runs_runs_on_and_orders_are_obeyed(
    clocked: World, packages: Made
) -> None:
    world = clocked
    driver = world.driver
    assert isinstance(driver, ClockedDriver)
    made, other = packages(), packages("2.0", **GOOD)
    world.node.add(*made, *other)
    watch = Watch(restarts=2, within_s=2.0 * HOUR_S)
    await world.order(order(Verb.APPCONFIG, 1, made, watch=watch))
    await world.until_states(*WALK)
    before = (await world.sliver.processes(APP)).pids
    for off_s in (HOUR_S, -HOUR_S, 0):
        driver.clock.jump(driver.off_s + off_s)
        await _reports(world, driver.off_s + off_s)
        assert world.states() == WALK
    assert (await world.sliver.processes(APP)).pids == before
    # What ends is started at once, and counted in its window, however the clock stands.
    driver.clock.jump(driver.off_s - HOUR_S)
    await world.sliver.signal(APP, signal.SIGKILL)
    await world.until_states(*WALK, "failed", *WALK)
    driver.clock.jump(driver.off_s + HOUR_S)
    await world.order(order(Verb.UPDATE, 2, other, version="2.0-1", watch=watch))
    await world.until_states(*WALK, "failed", *WALK, *WALK)
    assert len((await world.sliver.processes(APP)).pids) == 1
    await asyncio.to_thread(_log_of_the_last_minute, world)


def _log_of_the_last_minute(world: World) -> None:
    log = world.place.root / "var" / "log" / "dsmt-agent.log"
    assert "Traceback" not in (log.read_text(errors="replace") if log.exists() else "")
