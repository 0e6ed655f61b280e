"""A scriptlet that really fills the disk: it is ended, the reason is told, and with room again all is well.

The sliver lies on a file system of its own, of a few megabytes: what is full is full for the agent too.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.deployment_agent.decide import Periods
from agents.deployment_agent.installers import rpm
from tests.integration.agent.conftest import memory
from tests.integration.agent.sliver_world import APP, SOON_S, World, made_world
from tests.integration.agent.test_bad_packages import _ordered, _proved, rpm_with

FILLING = {
    # It sees that it failed, and says so.
    "fails": "head -c 1000000000 /dev/zero > /var/filling || exit 1",
    # It sees nothing, and would write for ever.
    "goes on": "while :; do head -c 1000000 /dev/zero >> /var/filling; done",
}
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times that are waited for here."""
    periods = Periods(proof_s=1.0, grace_s=5.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: periods)
    monkeypatch.setattr(rpm, "INSTALL_S", 8.0)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    """A sliver on a disk of 24 MB."""
    disk = tmp_path / "slivers"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "dsmt-test", str(disk))
    await asyncio.to_thread(subprocess.run, mount, check=True)
    try:
        async with made_world(tmp_path, BubblewrapDriver(), memory()) as made:
            yield made
    finally:
        await asyncio.to_thread(subprocess.run, ("umount", "-l", str(disk)), check=True)


def _writers(world: World) -> list[int]:
    """Processes of this sliver that fill the disk."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                words, told = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                if world.place.mark.encode() in told and b"1000000" in words:
                    found.append(int(entry.name))
    return found


@pytest.mark.parametrize("how", FILLING)
async def test_a_scriptlet_that_fills_the_disk_is_ended_and_told(
    small: World, tmp_path: Path, how: str
) -> None:
    await _proved(small, tmp_path)
    await _ordered(small, 2, "2.0-1", rpm_with(tmp_path, "2.0", "pre", FILLING[how]))
    # Nothing further is begun that cannot be written down; what is known is told all the same.
    await small.until(lambda _: "gave-up.demo" in small.last("holdings"))
    told = small.last("holdings")["gave-up.demo"]
    assert told.startswith("2.0-1 rpm -U failed")
    assert told.endswith("; the disk of the sliver is full")
    assert not _writers(small)
    (small.place.root / "var" / "filling").unlink()
    async with asyncio.timeout(SOON_S):
        while len((await small.sliver.processes(APP)).pids) != 1:  # noqa: ASYNC110 - the kernel's
            await asyncio.sleep(0.05)
    await small.until(lambda _: small.last("status").get("state") == "running")
    assert small.last("status")["text"] == "1.0-1"
