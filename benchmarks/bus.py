"""How much does the port cost? Confirmed publishing and checked reading, beside bare pika, in one run.

``python -m benchmarks.bus --json [--events 20000] [--pairs 7]``. Pairs alternate, and ratios are medians of
the ratios pair by pair, so that a machine whose speed drifts does not decide. Figures:

* ``publish_per_s``, ``raw_publish_per_s``, ``publish_ratio``: confirmed events a second, many at a time;
* ``publish_await_ratio``: one awaited call for each event, 1,000 at a time;
* ``consume_ratio``: decoded, checked, acknowledged; raw neither decodes nor checks;
* ``latency_p50_ms``, ``latency_p99_ms``: publish to delivery at 1,000 events a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import broker
from benchmarks.raw_pika import RawPika
from broker.bus import Bus
from broker.server.private import PrivateBroker
from broker.topology import Binding, Queue
from dsmt_core import wire
from dsmt_core.channels import Channel, binding_key
from dsmt_core.events import Event, Sender
from dsmt_core.rights import PSEPR

CHANNEL = Channel("/com/example/bench/org.dsmt.bench/status/node1.example.org/")
QUEUE = "dsmt.bench.1"
AT_ONCE = 1_000
RATE_PER_S = 1_000
_PAIRS = {"hostname": "node1.example.org", "slice": "xyz1", "text": "x" * 60}


class Rig:
    """One broker, one queue, one connection of the port's and one of pika's at a time."""

    def __init__(self, server: PrivateBroker, bus: Bus, count: int) -> None:
        self._bus = bus
        self._raw = RawPika(server.planner_url)
        self._count = count
        self._sender = Sender("bench", "bench/1", uuid.uuid4().hex)

    async def declare(self) -> None:
        """The queue, made anew and empty."""
        await self._bus.delete_queue(QUEUE)
        await self._bus.declare([Queue(QUEUE)], [Binding(QUEUE, PSEPR, binding_key(CHANNEL))])

    def events(self) -> list[Event]:
        """As many as a run publishes."""
        return [self.event() for _ in range(self._count)]

    def event(self) -> Event:
        """A typical one, of about 340 bytes."""
        return self._sender.event(CHANNEL, "status", now=time.time(), id_=uuid.uuid4().hex, pairs=_PAIRS)

    async def publish(self) -> float:
        """Events a second, all handed over at once; the port's own window bounds what is under way."""
        events = self.events()
        began = time.perf_counter()
        await asyncio.gather(*(self._bus.publish(event) for event in events))
        return self._count / (time.perf_counter() - began)

    async def publish_awaiting(self) -> float:
        """Events a second by so many workers, each awaiting its own."""
        events = iter(self.events())

        async def work() -> None:
            for event in events:
                await self._bus.publish(event)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return self._count / (time.perf_counter() - began)

    async def consume(self) -> float:
        """Events a second out of a full queue."""
        async with self._bus.consume(QUEUE, prefetch=1_000) as deliveries:
            began, read = time.perf_counter(), 0
            async for delivery in deliveries:
                delivery.ack()
                read += 1
                if read == self._count:
                    return self._count / (time.perf_counter() - began)
        raise RuntimeError("the queue ended early")

    async def raw_publish(self) -> float:
        """The same by bare pika."""
        body, key = wire.encode(self.event()), self.event().key
        took = await asyncio.to_thread(
            self._raw.publish, PSEPR, key, body, count=self._count, user="planner"
        )
        return self._count / took

    async def raw_consume(self) -> float:
        """The same by bare pika."""
        return self._count / await asyncio.to_thread(self._raw.consume, QUEUE, count=self._count)

    async def latencies_ms(self, seconds: float) -> list[float]:
        """From publishing to the delivery at a lease, at a steady rate."""
        found: list[float] = []
        wanted = int(RATE_PER_S * seconds)
        async with self._bus.lease(CHANNEL) as deliveries:
            feeding = asyncio.create_task(self._feed(wanted))
            async for delivery in deliveries:
                found.append((time.time() - delivery.event.sent_at) * 1e3)
                if len(found) == wanted:
                    break
            await feeding
        return found

    async def _feed(self, count: int) -> None:
        began = time.perf_counter()
        sending = set()
        for number in range(count):
            sending.add(asyncio.create_task(self._bus.publish(self.event())))
            ahead = began + number / RATE_PER_S - time.perf_counter()
            await asyncio.sleep(max(0.0, ahead))
        await asyncio.gather(*sending)


async def measure(count: int, pairs: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as folder:
        async with PrivateBroker(Path(folder)) as server, broker.connected(server.planner_url) as bus:
            rig = Rig(server, bus, count)
            rounds = [await _pair(rig) for _ in range(pairs)]
            await rig.declare()
            latencies = sorted(await rig.latencies_ms(5.0))
    return _figures(rounds, latencies)


async def _pair(rig: Rig) -> dict[str, float]:
    """The port and bare pika in turn, each on a queue that begins empty."""
    speeds: dict[str, float] = {}
    await rig.declare()
    speeds["publish"] = await rig.publish()
    speeds["consume"] = await rig.consume()
    await rig.declare()
    speeds["raw_publish"] = await rig.raw_publish()
    speeds["raw_consume"] = await rig.raw_consume()
    await rig.declare()
    speeds["publish_await"] = await rig.publish_awaiting()
    return speeds


def _figures(rounds: Sequence[dict[str, float]], latencies: Sequence[float]) -> dict[str, Any]:
    def median(name: str, over: str = "") -> float:
        return statistics.median(each[name] / (each[over] if over else 1) for each in rounds)

    return {
        "publish_per_s": round(median("publish")),
        "raw_publish_per_s": round(median("raw_publish")),
        "publish_ratio": round(median("publish", "raw_publish"), 3),
        "publish_await_ratio": round(median("publish_await", "raw_publish"), 3),
        "consume_per_s": round(median("consume")),
        "raw_consume_per_s": round(median("raw_consume")),
        "consume_ratio": round(median("consume", "raw_consume"), 3),
        "latency_p50_ms": round(latencies[len(latencies) // 2], 2),
        "latency_p99_ms": round(latencies[len(latencies) * 99 // 100], 2),
        "pairs": len(rounds),
    }


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bus", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--events", type=int, default=20_000, help="in each run")
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.events, arguments.pairs))
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:22} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
