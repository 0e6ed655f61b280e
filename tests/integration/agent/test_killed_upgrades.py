"""The agent, or the whole sliver, is killed at each step of an upgrade: it ends at the right version.

Every change of the agent's record is such a step: there are as many upgrades as an upgrade has steps, in
one sliver, each killed one step later than the one before. Each start of the application leaves its
version in a file, so half a version and a start too many are seen.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents import state_file
from agents.container_manager.slivers.directory_driver import agent_command
from agents.container_manager.slivers.driver import AgentCommand
from agents.deployment_agent.memory import FILE
from agents.deployment_agent.paths import OWN
from agents.local_socket import ask
from depot.rpmgen.making import Wish, make
from dsmt_core.commands import Order, Verb
from tests.integration.agent.changes import Changes
from tests.integration.agent.sliver_world import APP, Package, World, order, package
from tests.integration.agent.test_bad_packages import rpm_with
from tests.integration.agent.test_process import agent_pid, inside

__all__ = ["inside"]

FILES = 400
# All of them take a minute and more (``make chaos``); the quick form meets an unpacking and a start.
STEPS = range(1, 40) if os.environ.get("DSMT_CHAOS") else (2, 5)
SCRIPTS = {
    # Only a whole version starts.
    "start.sh": 'cd "${0%/*}"; version=$(cat data)\n'
    'whole=$(grep -lx "$version" files/* | wc -l)\n'
    f'test $whole = {FILES} || {{ echo "$whole of $(ls files | wc -l) are of $version"; exit 1; }}\n'
    'sleep 1000 & echo "$version" >> /var/starts',
    "status.sh": 'tail -n 1 /var/starts | grep -x "$(cat "${0%/*}/data")"',
}


def _tar(directory: Path, version: str) -> Path:
    path = directory / f"demo-{version}.tar"
    with tarfile.open(path, "w") as archive:
        named = {name: f"#!/bin/sh\n{text}\n" for name, text in SCRIPTS.items()}
        filling = {f"files/{number}": f"{version}\n{'x' * 2048}" for number in range(FILES)}
        # The scripts come first: what is torn later on could be started.
        for name, text in {**named, **filling, "data": f"{version}\n"}.items():
            info = tarfile.TarInfo(f"demo-{version}/{name}")
            info.size, info.mode = len(text), 0o755
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def _tars(directory: Path, version: str) -> tuple[Package, ...]:
    return (package(_tar(directory, version)),)


def _rpms(directory: Path, version: str) -> tuple[Package, ...]:
    wish = Wish(
        file=_tar(directory, version),
        output=directory / f"rpms-{version}",
        installdir="/usr/local",
        scripts={name: f"/usr/local/demo/{name}.sh" for name in ("start", "status")},
    )
    return tuple(package(each.path) for each in make(wish))


@dataclass(frozen=True)
class Form:
    """What an application comes in; of rpm a version has a release behind it."""

    packages: Callable[[Path, str], tuple[Package, ...]]
    release: str = ""

    def order(self, world: World, verb: Verb, generation: int, version: str) -> Order:
        made = self.packages(world.place.directory, version)
        world.node.add(*made)
        return order(verb, generation, made, version=version + self.release)


FORMS = {"tar": Form(_tars), "rpm": Form(_rpms, "-1")}


def _starts(world: World) -> list[str]:
    return (world.place.root / "var" / "starts").read_text().split()


async def _runs(world: World, version: str) -> None:
    await world.until(lambda _: world.last("status").get("text") == version)


async def _killed_at(
    world: World, changes: Changes, step: int, generation: int, kill: Callable[[], None]
) -> bool:
    """Kill at the ``step``-th change of the agent's record; False when the upgrade has taken fewer.

    Args:
        world: where.
        changes: of the record, counted from before the order.
        step: which one.
        generation: of the order; what is told late may be of the one before.
        kill: what is done then.
    """
    while True:
        # Asked before the changes are counted: the record tells of it before anybody is told.
        runs = any(
            each.state == "running" and each.pairs.get("generation") == str(generation)
            for each in world.events
        )
        if changes.seen() >= step:
            await asyncio.to_thread(kill)
            return True
        if runs:
            return False
        await asyncio.sleep(0.001)


def _record(world: World) -> Path:
    return world.place.root / "app" / OWN / FILE


async def _upgraded(
    world: World, form: Form, kill: Callable[[str], None], allowed: Callable[[str, str], list[list[str]]]
) -> int:
    """Upgrade again and again, until a kill comes too late; how many did not.

    Args:
        world: where.
        form: what each version comes in.
        kill: called with the new version.
        allowed: which versions may have been started from an old one to a new one, in order.
    """
    await world.order(form.order(world, Verb.APPCONFIG, 1, "0"))
    await _runs(world, "0")
    old = "0"
    for done, step in enumerate(STEPS):
        new, began, generation = str(done + 1), len(_starts(world)), done + 2
        with Changes(_record(world)) as changes:
            await world.order(form.order(world, Verb.UPDATE, generation, new))
            killed = await _killed_at(world, changes, step, generation, lambda new=new: kill(new))  # type: ignore[misc]
        await _runs(world, new)
        assert _starts(world)[began:] in allowed(old, new), f"killed at step {step}"
        assert len((await world.sliver.processes(APP)).pids) == 1
        if not killed:
            return done
        old = new
    return len(STEPS)


@pytest.mark.parametrize("form", FORMS)
async def test_an_agent_that_is_killed_at_any_step_ends_at_the_new_version(
    inside: World, form: str
) -> None:
    def kill(_: str) -> None:
        os.kill(agent_pid(inside), signal.SIGKILL)

    assert await _upgraded(inside, FORMS[form], kill, lambda _, new: [[new]]) >= 2


@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is missing")
async def test_an_installation_that_outlives_its_agent_is_waited_for(inside: World, tmp_path: Path) -> None:
    """A second rpm would find the database locked; and the first, ended, would leave half a version."""
    world, posts = inside, inside.place.root / "var" / "posts"
    slow = "echo begun >> /var/posts; until [ -e /var/go ]; do sleep 0.1; done; echo ended >> /var/posts"
    for generation, (version, text) in enumerate({"1.0": ":", "2.0": slow}.items(), 1):
        made = rpm_with(tmp_path, version, "post", text)
        world.node.add(made)
        await world.order(order(Verb.UPDATE, generation, (made,), version=f"{version}-1"))
        if version == "1.0":
            await _runs(world, "1.0-1")
    await world.until(lambda _: posts.exists())
    heard = len(world.events)
    os.kill(agent_pid(world), signal.SIGKILL)
    await world.until(lambda events: any(each.field == "holdings" for each in events[heard:]))
    posts.with_name("go").touch()
    await _runs(world, "2.0-1")
    assert posts.read_text().split() == ["begun", "ended"] * 2
    assert "failed" not in world.states()


@pytest.mark.parametrize("form", FORMS)
async def test_a_power_failure_at_any_step_ends_at_the_new_version(inside: World, form: str) -> None:
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
        ask(world.place.init_socket, {"op": "agent", "start": True}, timeout_s=60)

    # What ran is up again before the planner's answer is waited for, and what was switched to may be twice.
    allowed = lambda old, new: [[new], [old, new], [new, new]]  # noqa: E731
    assert await _upgraded(world, FORMS[form], fail, allowed) >= 2
