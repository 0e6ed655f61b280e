"""What the port does, and bare pika and kombu do instead, on one broker: each method is one timed run."""

from __future__ import annotations

import asyncio
import time
import uuid

from benchmarks.raw_kombu import RawKombu
from benchmarks.raw_pika import RawPika
from broker.bus import Bus
from broker.topology import Binding, Queue
from dsmt_core import wire
from dsmt_core.channels import Channel, binding_key
from dsmt_core.events import Event, Sender
from dsmt_core.rights import PSEPR

CHANNEL = Channel("/com/example/bench/org.dsmt.bench/status/node1.example.org/")
QUEUE = "dsmt.bench.1"
AT_ONCE = 1_000
RATE_PER_S = 1_000
USER = "planner"
_PAIRS = {"hostname": "node1.example.org", "slice": "xyz1", "text": "x" * 60}


class Rig:
    """One queue, one connection of the port's, and one of pika's or kombu's at a time.

    Args:
        url: of the planner's user.
        bus: connected, in its name.
        count: events in each run.
    """

    def __init__(self, url: str, bus: Bus, count: int) -> None:
        self.bus = bus
        self.count = count
        self._pika = RawPika(url)
        self._kombu = RawKombu(url)
        self._sender = Sender("bench", "bench/1", uuid.uuid4().hex)

    async def declare(self) -> None:
        """The queue, made anew and empty."""
        await self.bus.delete_queue(QUEUE)
        await self.bus.declare([Queue(QUEUE)], [Binding(QUEUE, PSEPR, binding_key(CHANNEL))])

    def events(self) -> list[Event]:
        """As many as a run publishes."""
        return [self.event() for _ in range(self.count)]

    def event(self, channel: Channel = CHANNEL) -> Event:
        """A typical one, of about 340 bytes."""
        return self._sender.event(channel, "status", now=time.time(), id_=uuid.uuid4().hex, pairs=_PAIRS)

    async def publish(self) -> float:
        """Events a second, all handed over in one call; the port's own window bounds what is under way."""
        events = self.events()
        began = time.perf_counter()
        await self.bus.publish_all(events)
        return self.count / (time.perf_counter() - began)

    async def publish_awaiting(self) -> float:
        """Events a second by so many workers, each awaiting its own."""
        events = iter(self.events())

        async def work() -> None:
            for event in events:
                await self.bus.publish(event)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return self.count / (time.perf_counter() - began)

    async def consume(self) -> float:
        """Events a second out of a full queue."""
        async with self.bus.consume(QUEUE, prefetch=1_000) as deliveries:
            began, read = time.perf_counter(), 0
            async for delivery in deliveries:
                delivery.ack()
                read += 1
                if read == self.count:
                    return self.count / (time.perf_counter() - began)
        raise RuntimeError("the queue ended early")

    async def raw_publish(self) -> float:
        """The same by bare pika."""
        took = await asyncio.to_thread(self._pika.publish, *self._message(), count=self.count, user=USER)
        return self.count / took

    async def raw_consume(self) -> float:
        """The same by bare pika, of the same messages."""
        return self.count / await asyncio.to_thread(self._pika.consume, QUEUE, count=self.count)

    async def kombu_publish(self, count: int) -> float:
        """The same by kombu; it is slow, so it says how many."""
        return count / await asyncio.to_thread(
            self._kombu.publish, *self._message(), count=count, user=USER
        )

    async def kombu_consume(self, count: int) -> float:
        """The same by kombu."""
        return count / await asyncio.to_thread(self._kombu.consume, QUEUE, count=count)

    async def latencies_ms(self, seconds: float) -> list[float]:
        """From publishing to the delivery at a lease, at a steady rate."""
        found: list[float] = []
        wanted = int(RATE_PER_S * seconds)
        async with self.bus.lease(CHANNEL) as deliveries:
            feeding = asyncio.create_task(self._feed(wanted))
            async for delivery in deliveries:
                found.append((time.time() - delivery.event.sent_at) * 1e3)
                if len(found) == wanted:
                    break
            await feeding
        return found

    def _message(self) -> tuple[str, str, bytes]:
        event = self.event()
        return PSEPR, event.key, wire.encode(event)

    async def _feed(self, count: int) -> None:
        began = time.perf_counter()
        sending = set()
        for number in range(count):
            sending.add(asyncio.create_task(self.bus.publish(self.event())))
            ahead = began + number / RATE_PER_S - time.perf_counter()
            await asyncio.sleep(max(0.0, ahead))
        await asyncio.gather(*sending)
