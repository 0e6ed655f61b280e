"""The broker is killed, stopped, restarted, emptied or starved; see `rig` for what holds afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator

import pytest

from broker.bus import Link
from broker.server.private import PrivateBroker
from tests.integration.broker.conftest import LIMITS
from tests.integration.broker.rig import LONG, Rig, until
from tests.rabbitmq import ALARM, WELL

STOPPED_S = 75.0 if LONG else 3.0


@pytest.fixture
async def rig(server: PrivateBroker) -> AsyncIterator[Rig]:
    async with Rig(server.url, LIMITS) as made:
        yield made


async def test_killed(server: PrivateBroker, rig: Rig) -> None:
    async with rig.fault("kill -9 of the broker"):
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await rig.holds()


async def test_restarted_in_order(server: PrivateBroker, rig: Rig) -> None:
    async with rig.fault("graceful restart"):
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
    await rig.holds()


async def test_stopped_and_continued(server: PrivateBroker, rig: Rig) -> None:
    async with rig.fault(f"SIGSTOP for {STOPPED_S:g} s"):
        os.kill(server.pid, signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        os.kill(server.pid, signal.SIGCONT)
    await rig.holds()


async def test_an_empty_one_in_its_place(server: PrivateBroker, rig: Rig) -> None:
    async with rig.fault("an empty broker in its place"):
        await asyncio.to_thread(server.kill)
        shutil.rmtree(server.data_dir / "data")
        await asyncio.to_thread(server.start)
    # What the old one had is gone with its disk; the lease says so.
    assert rig.lease.told_lost > 0
    gone = range(rig.made + 1)
    await until(lambda: rig.made > gone.stop + 10)
    await rig.holds(but=gone)


@pytest.mark.parametrize(
    ("name", "alarm", "well"),
    [
        ("memory alarm", ALARM, WELL),
        (
            "disk alarm",
            'rabbit_disk_monitor:set_disk_free_limit("900000GB")',
            'rabbit_disk_monitor:set_disk_free_limit("1MB")',
        ),
    ],
)
async def test_an_alarm(server: PrivateBroker, rig: Rig, name: str, alarm: str, well: str) -> None:
    speaker = rig.buses["speaker"]
    async with rig.fault(name):
        try:
            await asyncio.to_thread(server.evaluate, alarm)
            await until(lambda: speaker.health.link is Link.BLOCKED)
            said = len(rig.confirmed)
            await asyncio.sleep(STOPPED_S)
            assert len(rig.confirmed) <= said + 1
        finally:
            await asyncio.to_thread(server.evaluate, well)
    await rig.holds()
