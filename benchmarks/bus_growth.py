"""What grows with numbers: leases, bindings, the history, and the memory of a process that goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import psutil

from benchmarks.bus_rig import CHANNEL, Rig
from broker.bus import Delivery
from broker.topology import HISTORY_AGE_S, HISTORY_BYTES, Binding, Queue, history_topology
from dsmt_core.channels import Channel, binding_key
from dsmt_core.history import Since
from dsmt_core.rights import PSEPR

BINDINGS: Final = (100, 1_000, 5_000)
_A_QUEUE: Final = 100
_WARM: Final = 100_000
_WITHIN_S: Final = 300.0


async def leases(rig: Rig, count: int) -> dict[str, float]:
    """So many subtree leases at once: how long they take to make, and until each has heard its event."""
    below = [Channel(f"{CHANNEL}{number}/") for number in range(count)]
    async with asyncio.timeout(_WITHIN_S), contextlib.AsyncExitStack() as stack:
        began = time.perf_counter()
        entered = await asyncio.gather(
            *(stack.enter_async_context(rig.bus.lease(channel)) for channel in below)
        )
        made = time.perf_counter()
        await asyncio.gather(*(rig.bus.publish(rig.event(channel)) for channel in below))
        heard: list[Delivery] = await asyncio.gather(*(anext(deliveries) for deliveries in entered))
        done = time.perf_counter()
        return {
            "leases": len({delivery.event.channel for delivery in heard}),
            "leases_made_per_s": round(count / (made - began)),
            "leases_heard_s": round(done - made, 2),
        }


async def replay_per_s(rig: Rig) -> float:
    """Events a second out of the history, from the first on, decoded and checked."""
    await rig.bus.declare(*history_topology(HISTORY_AGE_S, HISTORY_BYTES))
    for _ in range(3):
        await rig.publish()
    read, wanted = 0, 3 * rig.count
    async with asyncio.timeout(_WITHIN_S), rig.bus.replay(Since()) as deliveries:
        began = time.perf_counter()
        async for _ in deliveries:
            read += 1
            if read == wanted:
                break
        return wanted / (time.perf_counter() - began)


async def publish_by_bindings(rig: Rig) -> dict[str, int]:
    """Confirmed events a second beside so many bindings that do not match, a hundred for each queue."""
    speeds, made = {}, 0
    for count in BINDINGS:
        while made < count:
            queue = f"dsmt.bench.bound.{made // _A_QUEUE}"
            keys = [binding_key(Channel(f"/com/example/bound/{made + n}/")) for n in range(_A_QUEUE)]
            await rig.bus.declare([Queue(queue)], [Binding(queue, PSEPR, key) for key in keys])
            made += _A_QUEUE
        await rig.declare()
        speeds[str(count)] = round(await rig.publish())
    return speeds


async def memory(rig: Rig, events: int) -> dict[str, float]:
    """Resident memory of this process after so many events published and read, and how much it grew.

    Growth counts from `_WARM` events on, when caches and buffers have their size.
    """
    process, done, warm = psutil.Process(), 0, 0
    while done < events:
        await rig.declare()
        await rig.publish()
        await rig.consume()
        done += rig.count
        if not warm and done >= min(_WARM, events):
            warm = process.memory_info().rss
    rss = process.memory_info().rss
    return {
        "rss_mb": round(rss / 1e6, 1),
        "rss_growth_mb": round((rss - warm) / 1e6, 1),
        "rss_events": done,
    }
