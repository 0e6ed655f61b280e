"""Between a bus and its broker nothing goes on, or half of it; see `rig` for what holds afterwards."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace

import psutil
import pytest

from broker.bus import Limits, Link
from broker.server.private import PrivateBroker
from tests.contract.gate import DOWN, UP, Gate
from tests.integration.broker.conftest import LIMITS
from tests.integration.broker.rig import LONG, Rig, until

# `make chaos` takes the waits of a service, which notices a black hole after 15 to 30 s, and more rounds.
HOLE = Limits() if LONG else replace(LIMITS, heartbeat_s=1.0)
RECONNECTS = 1_000 if LONG else 100
SETTLED = 10


@pytest.fixture
async def gate(server: PrivateBroker) -> AsyncIterator[Gate]:
    made = Gate(server.port)
    await made.open()
    yield made
    made.release()
    await made.shut()


def through(server: PrivateBroker, gate: Gate, limits: Limits) -> Rig:
    """A rig whose connections all go through the gate."""
    return Rig(lambda user: server.url(user).replace(f":{server.port}/", f":{gate.port}/"), limits)


@pytest.mark.parametrize("ways", [(UP, DOWN), (UP,), (DOWN,)], ids="-".join)
async def test_a_black_hole(server: PrivateBroker, gate: Gate, ways: tuple[str, ...]) -> None:
    async with through(server, gate, HOLE) as rig:
        async with rig.fault(f"TCP black-holed {' and '.join(ways)}"):
            gate.hold(*ways)
            # Nobody is told: each finds out by itself that nothing comes any more.
            await until(lambda: all(bus.health.link is Link.AWAY for bus in rig.buses.values()), 60)
            gate.release()
        await rig.holds()


async def test_a_hole_that_ends_before_anybody_has_noticed(server: PrivateBroker, gate: Gate) -> None:
    async with through(server, gate, LIMITS) as rig:
        async with rig.fault("TCP black-holed for 3 s"):
            gate.hold(UP, DOWN)
            await asyncio.sleep(3)
            gate.release()
        assert {bus.health.connects for bus in rig.buses.values()} == {1}
        await rig.holds()


@pytest.mark.parametrize("way", [UP, DOWN])
async def test_a_frame_that_is_written_by_half(server: PrivateBroker, gate: Gate, way: str) -> None:
    async with through(server, gate, LIMITS) as rig:
        async with rig.fault(f"half a frame {way}"):
            for count in range(1, 6):
                gate.break_off(way)
                await until(lambda count=count: gate.broken == count)  # type: ignore[misc]
        assert sum(bus.health.connects for bus in rig.buses.values()) > len(rig.buses)
        await rig.holds()


def held() -> tuple[int, int, int]:
    """Descriptors, tasks and bytes of this process."""
    gc.collect()
    process = psutil.Process()
    return process.num_fds(), len(asyncio.all_tasks()), process.memory_info().rss


async def test_a_hundred_reconnections_leave_nothing_behind(server: PrivateBroker, gate: Gate) -> None:
    quick = replace(LIMITS, retry_first_s=0.02, retry_most_s=0.05)
    async with through(server, gate, quick) as rig:
        before = held()
        for count in range(1, RECONNECTS + 1):
            await gate.shut()
            await until(lambda: all(bus.health.link is Link.AWAY for bus in rig.buses.values()))
            await gate.open()
            await until(lambda: {bus.health.link for bus in rig.buses.values()} == {Link.CONNECTED})
            if count == SETTLED:
                await rig.goes_on()
                before = held()
        # What waited for the last one is work, and no spinning.
        await rig.goes_on()
        async with rig.fault(f"{RECONNECTS} reconnections"):
            pass
        after = held()
        assert after[0] <= before[0] + 4
        assert after[1] <= before[1] + 4
        # 50 kB for each that is leaked would be seen; the allocator's own play is not.
        assert after[2] - before[2] < 16 << 20
        await rig.holds()
