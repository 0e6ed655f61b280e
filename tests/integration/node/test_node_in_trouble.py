"""`dsmt-node` after a power failure, an upgrade, and on a disk that takes nothing more."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import local_socket, state_file
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.visible import PACKAGES, package_directory
from broker.topology import agent_topology
from dsmt_core.commands import Verb
from dsmt_core.errors import DsmtError
from dsmt_core.names import Slice
from tests.integration.node.test_dsmt_node import NodeProcess, ended, lives, node, restarts, speaking
from tests.integration.node.world import HOST, WALK, FakePlanner, Voice, until

__all__ = ["node", "speaking"]

OTHER = Slice("xyz2")
DISK_BYTES = 96 << 20
# Another id of the machine's life, for a process and what it starts.
REBOOTED = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def small(tmp_path: Path, planner: FakePlanner, bubblewrap: SliverDriver) -> Iterator[NodeProcess]:
    """A node whose data is on a small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "dsmt-test", str(disk))
    process = NodeProcess(disk / "data", planner.url)
    process.log = tmp_path / "node.log"
    try:
        yield process
    finally:
        process.end_all()
        for path in (process.data / "slivers").glob("*"):
            bubblewrap.destroy(Place(Slice(path.name), HOST, path), grace_s=0.5)
        run("umount", "-l", str(disk))


def fill(directory: Path) -> Path:
    """Leave no room on the disk."""
    path = directory / "filling"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return path


async def walked(node: NodeProcess, speaking: Voice) -> None:
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK and node.kept() == "running", "the walk to running")


async def test_after_a_power_failure_it_comes_up_without_planner_and_broker(
    node: NodeProcess, planner: FakePlanner, speaking: Voice, tmp_path: Path
) -> None:
    first = node.start()
    await walked(node, speaking)
    before = node.init()
    assert before is not None
    first.kill()
    await ended(first)
    os.kill(before.pid, signal.SIGKILL)
    await until(lambda: node.init() is None, "the power is off")
    planner.answer = (503, {})
    known = state_file.load(node.data / "node.json").value or {}
    await asyncio.to_thread(
        state_file.save, node.data / "node.json", {**known, "broker": "amqp://node:x@127.0.0.1:9/x"}
    )
    boot_id = tmp_path / "boot_id"
    await asyncio.to_thread(boot_id.write_text, f"{uuid.uuid4()}\n")
    node.start(before=["unshare", "-m", "sh", "-c", REBOOTED, str(boot_id)])
    agent = {"op": "agent"}

    def agent_runs() -> bool:
        try:
            return bool(local_socket.ask(node.place.init_socket, agent, timeout_s=60)["pid"])
        except DsmtError:
            return False

    await until(agent_runs, "the sliver and its agent run")
    told = state_file.load(node.place.agent_file).value or {}
    assert told["boot_id"] == (await asyncio.to_thread(boot_id.read_text)).strip()


async def test_an_upgrade_to_another_place_adopts_what_the_old_one_has_started(
    node: NodeProcess, speaking: Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = node.start()
    await walked(node, speaking)
    before = node.init()
    first.terminate()
    assert await ended(first) == 0
    for name in PACKAGES:
        await asyncio.to_thread(shutil.copytree, package_directory(name), tmp_path / "new" / name)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "new"))
    monkeypatch.chdir(tmp_path)
    node.start()
    await until(lambda: lives(speaking) == 2, "the new one has begun")
    assert node.init() == before
    assert restarts(speaking) == 1
    # The new one speaks with the old init, and makes slivers of its own.
    await asyncio.to_thread(
        local_socket.ask,
        node.place.init_socket,
        {"op": "run", "argv": ["true"], "timeout": 50},
        timeout_s=60,
    )
    await speaking.bus.declare(*agent_topology(OTHER, HOST))
    await speaking.order(Verb.CREATE, 1, OTHER)
    await until(lambda: speaking.states(OTHER) == WALK, "a sliver of the new one")


async def test_on_a_full_disk_what_runs_goes_on_and_what_is_new_says_why_it_does_not(
    small: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    small.start()
    await walked(small, speaking)
    before = small.init()
    package = planner.put(os.urandom(100_000))
    filling = await asyncio.to_thread(fill, small.data)
    await speaking.bus.declare(*agent_topology(OTHER, HOST))
    await speaking.order(Verb.CREATE, 1, OTHER)
    await until(lambda: "No space" in small.log.read_text(), "it says so")
    with pytest.raises(Exception, match=r"room|space|disk"):
        await asyncio.to_thread(
            local_socket.ask,
            small.place.node_socket,
            {"op": "fetch", "digest": package, "size": 100_000},
            timeout_s=60,
        )
    beats = len(speaking.events("heartbeat"))
    await until(lambda: len(speaking.events("heartbeat")) > beats + 2, "it beats on")
    assert small.init() == before
    await asyncio.to_thread(filling.unlink)
    await until(lambda: speaking.states(OTHER)[-1:] == ["running"], "with room it is made")
    assert restarts(speaking) == 1


async def test_on_a_disk_that_became_read_only_what_runs_goes_on(
    node: NodeProcess, speaking: Voice
) -> None:
    manager = node.start(before=["unshare", "-m"])
    await walked(node, speaking)
    before = node.init()
    inside = ["nsenter", "--target", str(manager.pid), "--mount", "sh", "-c"]
    slivers = str(node.data / "slivers")
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    await asyncio.to_thread(run, *inside, read_only, slivers)
    await speaking.bus.declare(*agent_topology(OTHER, HOST))
    await speaking.order(Verb.CREATE, 1, OTHER)
    await until(lambda: "Read-only" in node.log.read_text(), "it says so")
    beats = len(speaking.events("heartbeat"))
    await until(lambda: len(speaking.events("heartbeat")) > beats + 2, "it beats on")
    assert node.init() == before
    await asyncio.to_thread(run, *inside, 'umount "$0"', slivers)
    await until(lambda: speaking.states(OTHER)[-1:] == ["running"], "once it can be written it is made")
    assert restarts(speaking) == 1


async def test_a_data_directory_that_cannot_be_written_at_the_start_is_one_plain_line(
    small: NodeProcess, speaking: Voice
) -> None:
    small.data = small.data.parent
    await asyncio.to_thread(run, "mount", "-o", "remount,ro", str(small.data))
    refused = small.start()
    assert await ended(refused) == 1
    said = (await asyncio.to_thread(small.log.read_text)).splitlines()
    assert not [line for line in said if "Traceback" in line]
    assert "Read-only file system" in "\n".join(said[-2:])
    await asyncio.to_thread(run, "mount", "-o", "remount,rw", str(small.data))
    small.start()
    await walked(small, speaking)


async def test_a_manager_that_is_killed_while_many_ask_for_a_package_has_it_for_all_afterwards(
    node: NodeProcess, planner: FakePlanner, speaking: Voice
) -> None:
    first = node.start()
    await walked(node, speaking)
    before, content = node.init(), os.urandom(1 << 20)
    request = {"op": "fetch", "digest": planner.put(content), "size": len(content)}
    planner.sends.clear()

    async def ask() -> object:
        try:
            return await asyncio.to_thread(local_socket.ask, node.place.node_socket, request, timeout_s=60)
        except (DsmtError, OSError) as error:
            return error

    asked = asyncio.gather(*(ask() for _ in range(20)))
    await until(lambda: planner.gets, "the depot is asked")
    first.kill()
    await ended(first)
    planner.sends.set()
    assert not [each for each in await asked if isinstance(each, dict)]
    node.start()
    await until(lambda: lives(speaking) == 2, "the next one has begun")
    planner.slow_s, known = 0.1, len(planner.gets)
    found = await asyncio.gather(*(ask() for _ in range(20)))
    assert {str(each) for each in found} == {str(found[0])}
    path = node.place.packages / request["digest"]  # type: ignore[operator]
    assert await asyncio.to_thread(path.read_bytes) == content
    assert len(planner.gets) == known + 1
    assert node.init() == before
