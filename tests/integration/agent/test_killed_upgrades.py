"""The agent, or the whole sliver, is killed at each step of an upgrade: it ends at the right version.

Every change of the agent's record is such a step: there are as many upgrades as an upgrade has steps, in
one sliver, each killed one step later than the one before. Each start of the application leaves its
version in a file, so half a version and a start too many are seen.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path

from agents import state_file
from agents.container_manager.slivers.directory_driver import agent_command
from agents.container_manager.slivers.driver import AgentCommand
from agents.deployment_agent.memory import FILE
from agents.deployment_agent.paths import OWN
from agents.local_socket import ask
from dsmt_core.commands import Verb
from tests.integration.agent.sliver_world import APP, Package, World, order, package
from tests.integration.agent.test_process import agent_pid, inside

__all__ = ["inside"]

FILES = 400
# All of them take a minute and more (``make chaos``); the quick form meets an unpacking and a start.
STEPS = range(1, 40) if os.environ.get("DSMT_CHAOS") else (2, 5)
SCRIPTS = {
    # Only a whole version starts.
    "start.sh": f'test $(ls "${{0%/*}}/files" | wc -l) = {FILES} || exit 1\n'
    'sleep 1000 & cat "${0%/*}/data" >> /var/starts',
    "status.sh": 'tail -n 1 /var/starts | grep -x "$(cat "${0%/*}/data")"',
}


def _tar(world: World, version: str) -> tuple[Package, ...]:
    path = world.place.directory / f"demo-{version}.tar"
    with tarfile.open(path, "w") as archive:
        named = {name: f"#!/bin/sh\n{text}\n" for name, text in SCRIPTS.items()}
        filling = {f"files/{number}": "x" * 2048 for number in range(FILES)}
        # The scripts come first: what is torn later on could be started.
        for name, text in {**named, **filling, "data": f"{version}\n"}.items():
            info = tarfile.TarInfo(f"demo-{version}/{name}")
            info.size, info.mode = len(text), 0o755
            archive.addfile(info, io.BytesIO(text.encode()))
    made = package(path)
    world.node.add(made)
    return (made,)


def _starts(world: World) -> list[str]:
    return (world.place.root / "var" / "starts").read_text().split()


async def _runs(world: World, version: str) -> None:
    await world.until(lambda _: world.last("status").get("text") == version)


async def _killed_at(world: World, step: int, kill: Callable[[], None]) -> bool:
    """Kill at the ``step``-th change of the agent's record; False when it runs before there are so many."""
    record, heard, seen = _record(world), len(world.events), 0
    before = record.stat().st_ino
    while seen < step:
        await asyncio.sleep(0.001)
        now = record.stat().st_ino if record.exists() else before
        seen, before = seen + (now != before), now
        if any(
            each.pairs.get("managed") == APP and each.state == "running" for each in world.events[heard:]
        ):
            return False
    await asyncio.to_thread(kill)
    return True


def _record(world: World) -> Path:
    return world.place.root / "app" / OWN / FILE


async def _upgraded(
    world: World, kill: Callable[[str], None], allowed: Callable[[str, str], list[list[str]]]
) -> int:
    """Upgrade again and again, until a kill comes too late; how many did not.

    Args:
        world: where.
        kill: called with the new version.
        allowed: which versions may have been started from an old one to a new one, in order.
    """
    await world.order(order(Verb.APPCONFIG, 1, _tar(world, "0"), version="0"))
    await _runs(world, "0")
    old = "0"
    for done, step in enumerate(STEPS):
        new, began = str(done + 1), len(_starts(world))
        await world.order(order(Verb.UPDATE, done + 2, _tar(world, new), version=new))
        killed = await _killed_at(world, step, lambda new=new: kill(new))  # type: ignore[misc]
        await _runs(world, new)
        assert _starts(world)[began:] in allowed(old, new), f"killed at step {step}"
        assert len((await world.sliver.processes(APP)).pids) == 1
        if not killed:
            return done
        old = new
    return len(STEPS)


async def test_an_agent_that_is_killed_at_any_step_ends_at_the_new_version(inside: World) -> None:
    def kill(_: str) -> None:
        os.kill(agent_pid(inside), signal.SIGKILL)

    assert await _upgraded(inside, kill, lambda _, new: [[new]]) >= 2


async def test_a_power_failure_at_any_step_ends_at_the_new_version(inside: World) -> None:
    world = inside

    def fail(new: str) -> None:
        """Everything ends at once; the machine starts again, and so does the agent."""
        world.driver.end(world.place, grace_s=0.0)
        file = world.place.shown_agent_file
        values = state_file.load(file).value or {}
        owner = world.driver.owner(world.place)
        state_file.save(file, {**values, "boot_id": f"machine-{new}"}, mode=0o400, owner=owner)
        command = AgentCommand(agent_command(), {"DSMT_RUN": "/run/dsmt", "PATH": os.defpath})
        world.driver.boot(world.place, command)
        ask(world.place.init_socket, {"op": "agent", "start": True})

    # What ran is up again before the planner's answer is waited for, and what was switched to may be twice.
    assert await _upgraded(world, fail, lambda old, new: [[new], [old, new], [new, new]]) >= 2
