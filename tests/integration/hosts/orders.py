"""A node that gets orders while the broker suffers."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress

from broker.bus import Bus
from broker.topology import node_queue, node_topology
from dsmt_core.channels import command_channel
from dsmt_core.errors import DeadlinePassed, Unavailable
from dsmt_core.events import Sender
from dsmt_core.names import CONTAINER_MGR, Host, Slice
from dsmt_core.rights import ORDERS
from tests.integration.hosts.company import TTL_S

# How often the planner declares what is there already.
KEPT_S = 2.0


class Ordered:
    """A node that reads its orders, and a planner that gives them and keeps the queue there."""

    def __init__(self, planner: Bus, node: Bus, host: Host) -> None:
        self.host = host
        self._planner = planner
        self._node = node
        self._sender = Sender("planner", "planner/test", uuid.uuid4().hex)
        self._heard = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep())]

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hears(self) -> float:
        """Seconds until an order that is given from now on is heard."""
        began = time.monotonic()
        channel = command_channel(Slice("any"), CONTAINER_MGR, self.host)
        first = 0
        while not first or self._heard < first:
            event = self._sender.event(channel, "do", now=time.time(), id_=uuid.uuid4().hex, ttl=TTL_S)
            first = first or event.seq
            with suppress(Unavailable):
                await self._planner.publish(event, exchange=ORDERS)
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def _read(self) -> None:
        while True:
            with suppress(DeadlinePassed):
                async with self._node.consume(node_queue(self.host)) as deliveries:
                    async for delivery in deliveries:
                        self._heard = max(self._heard, delivery.event.seq)
                        delivery.ack()

    async def _keep(self) -> None:
        while True:
            with suppress(Unavailable):
                await self._planner.declare(*node_topology(self.host))
            await asyncio.sleep(KEPT_S)
