"""Those who use a broker while it suffers: publishers with confirms, a reader of a queue, a lease.

What they have to show afterwards: nothing that was confirmed is lost, each publisher's order holds (a
reader that drops doubles would miss what came too late), and all go on within seconds of the fault's end.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from broker.bus import Bus, Delivery
from broker.topology import INGEST
from dsmt_core.channels import Channel, component_channel, status_channel
from dsmt_core.errors import DeadlinePassed, Unavailable
from dsmt_core.events import DEPLOYMENT_STATUS, Doubles, Sender
from dsmt_core.names import Host, Slice

RECOVERY_S = 15.0
# Longer than any of these tests: how long an event may be under way is not what they ask.
TTL_S = 600.0
_PAUSE_S = 0.02


class Speaker:
    """Publishes one event after the other; one that fails is said again before the next.

    Attributes:
        confirmed: the numbers of those that were confirmed.
        longest_s: the longest wait for a confirm.
    """

    def __init__(self, bus: Bus, slice_: Slice, number: int) -> None:
        host = Host(f"h{number}.example.org")
        self.instance = f"{host}/agent"
        self.confirmed: list[int] = []
        self.longest_s = 0.0
        self._bus = bus
        self._channel = status_channel(slice_, "deployment-agent", host)
        self._sender = Sender(f"{slice_}_mgr", self.instance, uuid.uuid4().hex)

    async def speak(self) -> None:
        while True:
            event = self._sender.event(
                self._channel,
                DEPLOYMENT_STATUS,
                now=time.time(),
                id_=uuid.uuid4().hex,
                pairs={"status": "running"},
                ttl=TTL_S,
            )
            began = time.monotonic()
            while True:
                with suppress(Unavailable):
                    await self._bus.publish(event)
                    break
                await asyncio.sleep(_PAUSE_S)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.confirmed.append(event.seq)
            await asyncio.sleep(_PAUSE_S)


class Listener:
    """Hears, without doubles.

    Attributes:
        heard: the numbers of each instance.
        lost: how many it was told to have missed.
    """

    def __init__(self) -> None:
        self.heard: dict[str, set[int]] = {}
        self.lost = 0
        self._doubles = Doubles()

    def take(self, delivery: Delivery) -> None:
        self.lost += delivery.lost
        if self._doubles.is_new(delivery.event):
            self.heard.setdefault(delivery.event.instance, set()).add(delivery.event.seq)

    async def read(self, bus: Bus) -> None:
        """Read ingest, as the planner does."""
        while True:
            with suppress(DeadlinePassed):
                async with bus.consume(INGEST) as deliveries:
                    async for delivery in deliveries:
                        self.take(delivery)
                        delivery.ack()

    async def lease(self, bus: Bus, channel: Channel, in_place: asyncio.Event) -> None:
        """Lease a channel, as a monitor does."""
        async with bus.lease(channel) as deliveries:
            in_place.set()
            async for delivery in deliveries:
                self.take(delivery)


class Company:
    """All of them at work."""

    def __init__(self, speakers: list[Speaker], reader: Listener, lessee: Listener) -> None:
        self.speakers = speakers
        self.reader = reader
        self.lessee = lessee

    @property
    def confirmed(self) -> int:
        return sum(len(speaker.confirmed) for speaker in self.speakers)

    async def recovered(self, within_s: float = 60.0) -> float:
        """Seconds until what each says from now on is confirmed and heard by all."""
        began = time.monotonic()
        marks = [(speaker, len(speaker.confirmed) + 2) for speaker in self.speakers]
        await until(lambda: all(len(speaker.confirmed) > mark for speaker, mark in marks), within_s)
        latest = {speaker.instance: speaker.confirmed[mark] for speaker, mark in marks}
        for listener in (self.reader, self.lessee):
            await until(
                lambda one=listener: all(  # type: ignore[misc]
                    max(one.heard.get(instance, {0})) >= seq for instance, seq in latest.items()
                ),
                within_s,
            )
        return time.monotonic() - began

    def missed(self, listener: Listener) -> dict[str, set[int]]:
        """What was confirmed and not heard, by instance."""
        missed = {
            speaker.instance: set(speaker.confirmed) - listener.heard.get(speaker.instance, set())
            for speaker in self.speakers
        }
        return {instance: numbers for instance, numbers in missed.items() if numbers}


@asynccontextmanager
async def company(speaking: list[Bus], planner: Bus, monitor: Bus, slice_: Slice) -> AsyncIterator[Company]:
    """Two speakers on each of the buses ``speaking``, and those who hear them.

    Left, the speakers stop, and the listeners have heard what is left to hear.
    """
    speakers = [Speaker(bus, slice_, number) for number, bus in enumerate([*speaking, *speaking])]
    made = Company(speakers, Listener(), Listener())
    in_place = asyncio.Event()
    async with AsyncExitStack() as listening, AsyncExitStack() as talking:
        channel = component_channel(slice_, "deployment-agent")
        _task(listening, made.reader.read(planner))
        _task(listening, made.lessee.lease(monitor, channel, in_place))
        async with asyncio.timeout(30):
            await in_place.wait()
        for speaker in speakers:
            _task(talking, speaker.speak())
        yield made
        await talking.aclose()
        with suppress(TimeoutError):
            await until(lambda: not made.missed(made.reader) and not made.missed(made.lessee))


async def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it does not within ``within_s`` seconds.
    """
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is somebody else's state
            await asyncio.sleep(0.05)


def _task(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    stack.push_async_callback(end)
