"""The agent as a process inside its sliver, on a real RabbitMQ."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.directory_driver import agent_command
from agents.container_manager.slivers.driver import AgentCommand
from agents.local_socket import ask
from broker.server.private import PrivateBroker
from dsmt_core.commands import Verb
from dsmt_core.names import DEPLOYMENT_AGENT
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, HOST, SLICE, World, made_world, order

BOOTSTRAP = ["requested", "instantiated", "initialized", "installed", "running"]
WALK = ["requested", "instantiated", "initialized", "running"]
RSS_MB = 35.0


@pytest.fixture
async def inside(tmp_path: Path, rabbit: PrivateBroker, vhost: str) -> AsyncIterator[World]:
    """A sliver whose init keeps the real `dsmt-agent` running."""
    command = AgentCommand(agent_command(), {"DSMT_RUN": "/run/dsmt", "PATH": os.defpath})
    urls = rabbit.url("planner", vhost), rabbit.url("node", vhost)
    async with made_world(tmp_path, BubblewrapDriver(), urls, agent=command) as world:
        values = {
            "host": HOST,
            "slice": SLICE,
            "broker": urls[1],
            "queue": world.config.queue,
            "status_period": 1.0,
            "boot_id": "machine1",
        }
        owner = world.driver.owner(world.place)
        state_file.save(world.place.shown_agent_file, values, mode=0o400, owner=owner)
        ask(world.place.init_socket, {"op": "agent", "start": True}, timeout_s=60)
        yield world


def agent_pid(world: World) -> int:
    """Its pid on the host, by the mark of its sliver."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            # The init's own arguments name the agent too.
            agent = b"deployment_agent.main" in words and b"sliver_init" not in words
            if agent and world.place.mark.encode() in environment:
                return int(entry.name)
    raise AssertionError("the agent does not run")


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


async def test_the_whole_walk_on_rabbitmq_and_a_killed_agent_adopts(inside: World, packages: Made) -> None:
    world = inside
    made = packages()
    world.node.add(*made)
    await world.until_states(*BOOTSTRAP, managed=DEPLOYMENT_AGENT)
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    # What is said right before a kill may be said twice; a report comes after it was written down.
    await world.until(lambda _: world.last("status").get("state") == "running")
    application = (await world.sliver.processes(APP)).pids
    assert _rss_mb(agent_pid(world)) < RSS_MB
    heard = len(world.events)
    os.kill(agent_pid(world), signal.SIGKILL)
    await world.until(lambda _: world.states(DEPLOYMENT_AGENT) == [*BOOTSTRAP, "failed", *BOOTSTRAP])
    await world.until(lambda events: any(e.field == "holdings" for e in events[heard:]))
    assert world.states() == WALK
    assert (await world.sliver.processes(APP)).pids == application
    heard = len(world.events)
    os.kill(agent_pid(world), signal.SIGTERM)
    await world.until(lambda events: any(e.field == "holdings" for e in events[heard:]))
    assert len(world.states(DEPLOYMENT_AGENT)) == 11
    await world.order(order(Verb.UNINSTALL, 2))
    await world.until(lambda _: world.states()[-1] == "terminated")
    assert world.states() == [*WALK, "terminated"]
