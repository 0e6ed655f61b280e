"""One who reads the history while the broker suffers, beginning on a host of his choice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from broker.address import Endpoint
from broker.bus import Limits
from broker.rabbit.bus import RabbitBus
from dsmt_core.history import Since
from tests.integration.hosts.company import until

# What is read: its place in the history, who said it, and the number that he gave it.
Line = tuple[int, str, int]


class Chronicle:
    """What was read, in its order, and what the reader was told to have missed.

    Args:
        url: names all hosts, for the planner's user.
        first: the host to begin with.
    """

    def __init__(self, url: str, first: Endpoint) -> None:
        self.lines: list[Line] = []
        self.lost = 0
        self.bus = RabbitBus(url, Limits(), "chronicle", sample=lambda all_, _: _led_by(first, all_))

    async def read(self) -> None:
        async with self.bus.replay(Since()) as deliveries:
            async for delivery in deliveries:
                assert delivery.offset is not None
                self.lines.append((delivery.offset, delivery.event.instance, delivery.event.seq))
                self.lost += delivery.lost

    async def reaches(self, offset: int) -> list[Line]:
        """All lines up to ``offset``, once it has been read."""
        await until(lambda: bool(self.lines) and self.lines[-1][0] >= offset)
        return [line for line in self.lines if line[0] <= offset]


@asynccontextmanager
async def chronicle(url: str, first: Endpoint) -> AsyncIterator[Chronicle]:
    """A `Chronicle` that is being read from the beginning on."""
    made = Chronicle(url, first)
    await made.bus.start(wait_s=30)
    task = asyncio.create_task(made.read())
    try:
        yield made
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        await made.bus.close()
    if isinstance(results[0], Exception):
        raise results[0]


def _led_by(first: Endpoint, all_: Sequence[Endpoint]) -> list[Endpoint]:
    """The order in which a bus tries the hosts: it takes from the end."""
    return [*(one for one in all_ if one != first), first]
