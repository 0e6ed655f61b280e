"""The bus over RabbitMQ: connects, keeps everything in place, and reconnects for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from random import SystemRandom
from typing import Any, Final

from broker import retry
from broker.address import Sample, Turns, parse
from broker.bus import EVERYTHING, LEASE_S, Deliveries, Health, Leases, Limits, Link
from broker.calls import Call, Calls
from broker.publisher import Publisher
from broker.rabbit.confirms import Confirms
from broker.rabbit.connection import Connection, Slow, parameters
from broker.rabbit.consumer import Consumer
from broker.rabbit.declaring import Declaring
from broker.rabbit.endings import Endings
from broker.rabbit.hints import Hints
from broker.rabbit.lease import Lease
from broker.rabbit.reader import Reader
from broker.rabbit.replay import Replay
from broker.reading import Message
from broker.renewal import asked, summons
from broker.topology import Binding, Queue
from dsmt_core.channels import ROOT, Channel
from dsmt_core.errors import Denied, DsmtError, Unavailable
from dsmt_core.events import Event
from dsmt_core.hearing import Wants
from dsmt_core.history import Since
from dsmt_core.rights import LEASES, ORDERS, PSEPR
from dsmt_core.wire import MSGPACK

_log = logging.getLogger(__name__)
# A connection that lived so long was a good one: the next series of attempts begins anew.
_STABLE_S: Final = 5.0
_LUCK: Final = SystemRandom()


class RabbitBus:
    """See `broker.bus.Bus`; made inside a running event loop.

    Args:
        url: ``amqp[s]://USER:PASSWORD@HOST:PORT,HOST:PORT,…/VHOST``.
        limits: its bounds.
        name: shown in the broker's list of connections.
        sample: the luck by which the hosts take turns; see `broker.address.Turns`.

    Raises:
        Invalid: the URL is not legal.
    """

    def __init__(self, url: str, limits: Limits, name: str, *, sample: Sample = _LUCK.sample) -> None:
        self.limits = limits
        self.health = Health()
        self._address = parse(url)
        self.hosts = len(self._address.endpoints)
        self.user = self._address.user
        self._name = name
        self._turns = Turns(self._address.endpoints, sample)
        self._place = self._turns.next()
        self._parameters()  # what is not legal is told now
        self._publisher = Publisher(limits, self.health, self.user)
        self._confirms = Confirms(self._publisher, limits, self.health, self.user)
        self._hints = Hints(limits, self.health, self.user)
        self._declaring = Declaring(limits)
        self._connection: Connection | None = None
        self._readers: dict[Reader, asyncio.Task[None] | None] = {}
        self._calls = Calls()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._denied: Denied | None = None
        self._closed = False

    def on_connected(self, call: Call) -> Callable[[], None]:
        """See the port."""
        return self._calls.add(call)

    async def start(self, *, wait_s: float = 0.0) -> None:
        """See the port."""
        if self._closed:
            raise Unavailable("the bus is closed")
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        if wait_s > 0:
            await self._connected_within(wait_s)

    async def close(self) -> None:
        """See the port."""
        if self._closed:
            return
        self._closed = True
        await self._publisher.drain(self.limits.close_s)
        await asyncio.gather(*(reader.close() for reader in list(self._readers)))
        if self._connection is not None:
            await self._connection.close(self.limits.close_s)
        tasks = [*self._tasks, *([self._runner] if self._runner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._publisher.end()
        self.health.link = Link.CLOSED
        self._news.set()

    async def publish(self, event: Event, *, exchange: str = PSEPR, content_type: str = MSGPACK) -> None:
        """See the port."""
        await self._publisher.publish(event, exchange, content_type=content_type)

    async def publish_all(self, events: Iterable[Event], *, exchange: str = PSEPR) -> None:
        """See the port."""
        await self._publisher.publish_all(events, exchange)

    async def post(self, event: Event, *, exchange: str = PSEPR) -> bool:
        """See the port."""
        return await self._publisher.post(event, exchange)

    def hint(self, event: Event, *, exchange: str) -> bool:
        """See the port."""
        return self._hints.send(event, exchange)

    def lease(
        self,
        channel: Channel = ROOT,
        *,
        wants: Wants = EVERYTHING,
        state: str = "",
        exchanges: Sequence[str] = (PSEPR, ORDERS),
        duration_s: float = LEASE_S,
    ) -> Leases:
        """See the port."""
        term = asked(self.user, duration_s, wants, self.limits)
        wanted = replace(wants, state=state or wants.state)
        return Lease(self, term, channel=channel, wants=wanted, exchanges=exchanges)

    def consume(self, queue: str, *, under: Channel = ROOT, prefetch: int = 300) -> Deliveries:
        """See the port."""
        return Consumer(self, queue, under=under, prefetch=prefetch)

    def replay(self, since: Since, *, channel: Channel = ROOT) -> Deliveries:
        """See the port."""
        return Replay(self, since, channel=channel)

    def endings(self) -> Endings:
        """See the port."""
        return Endings(self)

    async def declare(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> bool:
        """See the port."""
        missing = await self._declaring.declare(self._connected(), queues, bindings)
        if missing:
            await self._publisher.publish(summons(), LEASES)
        return missing

    async def delete_queue(self, queue: str) -> None:
        """See the port."""
        await self._declaring.delete_queue(self._connected(), queue)

    async def renew(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> None:
        """See the port; over a connection of its own.

        With a queue that has lost its leader, RabbitMQ ends every connection that waits for it. Whoever
        published then sends again: before the queue is there, it would be confirmed and lost.
        """
        connection = await Connection.open(self._parameters(), self.limits.connect_s)
        try:
            await self._declaring.renew(connection, queues, bindings)
        finally:
            await connection.close(self.limits.close_s)

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters."""
        self._hints.dead(message, reason)

    def attach(self, reader: Reader) -> None:
        """Have ``reader`` in place on this and every later connection."""
        if self._closed:
            raise Unavailable("the bus is closed")
        self._readers[reader] = None
        if self._connection is not None:
            self._readers[reader] = self._begin(reader.keep(self._connection))

    async def detach(self, reader: Reader) -> None:
        """Have ``reader`` in place no longer."""
        task = self._readers.pop(reader, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        backoff, patience = retry.reconnection(self.limits), retry.Patience(self.limits)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                connection = await Connection.open(self._parameters(), patience.seconds)
            except DsmtError as error:
                patience.failed(slow=isinstance(error, Slow))
                self._away(error)
            else:
                await self._serve(connection)
                self._turns.begin()
                if loop.time() - began > _STABLE_S:
                    backoff.reset()
                    patience.reset()
            if self._turns.over:
                await asyncio.sleep(backoff.next_s())
            self._place = self._turns.next()

    def _parameters(self) -> Any:
        return parameters(self._address, self._place, self.limits, self._name)

    async def _serve(self, connection: Connection) -> None:
        """Have everything in place on ``connection`` until it ends."""
        connection.on_blocked = self._block
        self._connection = connection
        publishing, hinting = asyncio.Event(), asyncio.Event()
        own = [
            self._begin(self._confirms.keep(connection, publishing)),
            self._begin(self._hints.keep(connection, hinting)),
        ]
        for reader in self._readers:
            reader.tried.clear()
            self._readers[reader] = self._begin(reader.keep(connection))
        own.append(self._begin(self._announce(publishing, hinting)))
        try:
            error = await connection.closed
            self._away(error)
        finally:
            await self._take_down(own)

    async def _announce(self, *in_place: asyncio.Event) -> None:
        """Tell that the bus is connected, once publishing works and every consumer was tried."""
        for event in in_place:
            await event.wait()
        self.health.connects += 1
        self.health.link = Link.CONNECTED
        self._denied, self.health.denied = None, False
        self._news.set()
        for reader in list(self._readers):
            await reader.tried.wait()
        for work in self._calls.each():
            self._begin(work)

    async def _take_down(self, own: list[asyncio.Task[None]]) -> None:
        self._connection = None
        self._publisher.disconnected()
        self._hints.disconnected()
        tasks = own + [task for task in self._readers.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for reader in self._readers:
            self._readers[reader] = None
            reader.interrupted()

    def _away(self, error: DsmtError) -> None:
        self.health.link = Link.AWAY
        self.health.last_error = error.message
        self._denied = error if isinstance(error, Denied) else None
        self.health.denied = self._denied is not None
        self._news.set()

    def _block(self, blocked: bool) -> None:  # noqa: FBT001 - pika's callback has one argument
        self.health.link = Link.BLOCKED if blocked else Link.CONNECTED
        self._publisher.block(blocked=blocked)
        self._hints.block(blocked=blocked)

    async def _connected_within(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                while self.health.link not in {Link.CONNECTED, Link.BLOCKED}:
                    if self._denied is not None:
                        raise self._denied
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Unavailable(
                f"the broker is not reachable: {self.health.last_error or 'no answer'}",
                hint="is it running, and is its address right? Trying goes on.",
            ) from None

    def _connected(self) -> Connection:
        if self._connection is None:
            raise Unavailable("the broker is away", hint=self.health.last_error)
        return self._connection

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a task of the bus failed", exc_info=error)
