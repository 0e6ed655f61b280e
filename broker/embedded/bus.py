"""The bus inside one process; ``memory://USER@WORLD``, and all who name the same world share it.

The permissions of `broker.access` hold here too: the first wall stands in both adapters.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from broker.access import USERS, may, may_bind
from broker.bus import EVERYTHING, LEASE_S, Deliveries, Health, Leases, Limits, Link
from broker.calls import Call, Calls
from broker.embedded.engine import call, enter, hand_over, leave
from broker.embedded.lease import Lease
from broker.embedded.reader import Reader
from broker.embedded.replay import Replay
from broker.endings import Endings, Nowhere
from broker.outgoing import Entry
from broker.publisher import Publisher
from broker.reading import Message, dead_letter
from broker.renewal import asked
from broker.sending import checked
from broker.topology import Binding, Queue
from dsmt_core.channels import ROOT, Channel
from dsmt_core.errors import Denied, DsmtError, NotFound, Unavailable
from dsmt_core.events import Event
from dsmt_core.hearing import Wants
from dsmt_core.history import Since
from dsmt_core.rights import DEAD, ORDERS, PSEPR
from dsmt_core.wire import MSGPACK

_AGAIN_S: Final = 0.2
_READ: Final = "read"
_CONFIGURE: Final = "configure"


class EmbeddedBus:
    """See `broker.bus.Bus`; made inside a running event loop.

    Args:
        url: ``memory://USER@WORLD``.
        limits: its bounds.
        name: of no use here.
    """

    def __init__(self, url: str, limits: Limits, name: str) -> None:
        parts = urlsplit(url)
        self.limits = limits
        self.health = Health()
        self.name = name
        self.user = unquote(parts.username or "planner")
        self._engine, self.world = enter(parts.hostname or "")
        self._loop = asyncio.get_running_loop()
        self._publisher = Publisher(limits, self.health, self.user)
        self._epoch = self._tag = 0
        self._broken = 0
        self._readers: set[Reader] = set()
        self._replays: set[Replay] = set()
        self._calls = Calls()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = asyncio.Event()
        self._started = False
        self._closed = False

    def on_connected(self, call: Call) -> Callable[[], None]:
        """See the port."""
        return self._calls.add(call)

    async def start(self, *, wait_s: float = 0.0) -> None:
        """See the port."""
        if self._closed:
            raise Unavailable("the bus is closed")
        if self.user not in USERS:
            self.health.last_error = f"the embedded broker knows no user {self.user}"
            if wait_s > 0:
                raise Denied(self.health.last_error, hint=f"one of {', '.join(USERS)}")
            return
        if not self._started:
            self._started = True
            self.do(self._join)
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._connected.wait()
            except TimeoutError:
                raise Unavailable("the embedded broker is away") from None

    async def close(self) -> None:
        """See the port."""
        if self._closed:
            return
        self._closed = True
        await self._publisher.drain(self.limits.close_s)
        await asyncio.gather(*(reader.close() for reader in list(self._readers)))
        for replay in list(self._replays):
            replay.end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._publisher.end()
        self.do(partial(self.world.members.discard, self._told))
        self.health.link = Link.CLOSED
        await asyncio.to_thread(leave, self._engine, self.world)

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
        key, body = checked(event, exchange, user=self.user, most=self.limits.event_bytes)
        if not self._connected.is_set():
            return False
        expires_at = self._loop.time() + event.ttl
        self.send_unconfirmed(Message(body, MSGPACK, exchange, key, self.user, expires_at=expires_at))
        return True

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
        return Reader(self, queue, under=under, prefetch=prefetch)

    def replay(self, since: Since, *, channel: Channel = ROOT) -> Deliveries:
        """See the port."""
        return Replay(self, since, channel=channel)

    def endings(self) -> Endings:
        """See the port."""
        return Nowhere()

    async def declare(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> bool:
        """See the port."""
        for name in [PSEPR, *(queue.name for queue in queues)]:
            self._demand(_CONFIGURE, name)
        missing: bool = await self.call(partial(self.world.declare, queues, bindings))
        return missing

    async def delete_queue(self, queue: str) -> None:
        """See the port."""
        self._demand(_CONFIGURE, queue)
        await self.call(partial(self.world.delete, queue))

    async def renew(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> None:
        """See the port."""
        for queue in queues:
            await self.delete_queue(queue.name)
        await self.declare(queues, bindings)

    def readers(self) -> set[Reader]:
        """All that are entered."""
        return self._readers

    def replays(self) -> set[Replay]:
        """The same of replays."""
        return self._replays

    async def call(self, work: Callable[[], Any]) -> Any:
        """Do something in the engine's thread and await it."""
        if not self._connected.is_set():
            raise Unavailable("the embedded broker is away")
        return await call(self._engine, work, self.limits.confirm_s)

    def do(self, work: Callable[[], None]) -> None:
        """Have something done there."""
        self._engine.do(work)

    def demand_reading(self, name: str) -> None:
        """Raise `Denied` when this user may not read the queue or exchange ``name``."""
        self._demand(_READ, name)

    def demand_binding(self, binding: Binding) -> None:
        """Raise `Denied` when this user may not make ``binding``."""
        self._demand(_READ, binding.exchange)
        if not may_bind(self.user, binding.exchange, binding.key):
            raise Denied(f"{self.user} may not bind {binding.key} of {binding.exchange}")

    def demand_making(self, queue: str) -> None:
        """Raise `Denied` when this user may not make ``queue``."""
        self._demand(_CONFIGURE, queue)

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters."""
        self.health.refuse(message, reason)
        if message.exchange != DEAD:
            self.send_unconfirmed(dead_letter(message, reason, self.user))

    def send_unconfirmed(self, message: Message) -> None:
        """Publish without waiting for it."""
        self.do(partial(self._send_unconfirmed, message))

    def _demand(self, action: str, name: str) -> None:
        if not may(self.user, action, name):
            raise Denied(f"{self.user} may not {action} {name}")

    def _join(self) -> None:
        """In the engine's thread: be told from now on, and first how it is."""
        self.world.members.add(self._told)
        self._told(self.world.away)

    def _told(self, away: bool) -> None:  # noqa: FBT001 - a callback with one argument
        hand_over(self._loop, self._away if away else self._back)

    def _away(self) -> None:
        self.health.link = Link.AWAY
        self.health.last_error = "the embedded broker is away"
        self._connected.clear()
        self._publisher.disconnected()
        for reader in self._readers:
            reader.tried.clear()
            reader.interrupt()

    def _back(self) -> None:
        if self._closed:
            return
        self.health.link = Link.CONNECTED
        self.health.connects += 1
        self._connected.set()
        self._epoch, self._tag = self._epoch + 1, 0
        self._publisher.connected()
        self._publisher.open(self._transmit)
        task = asyncio.create_task(self._announce())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self) -> None:
        for reader in list(self._readers):
            await reader.tried.wait()
        for work in self._calls.each():
            await work

    def _transmit(self, entry: Entry) -> None:
        self._tag += 1
        message = entry.message(self.user, self._loop.time())
        self.do(partial(self._route, message, self._epoch, self._tag))

    def _route(self, message: Message, epoch: int, tag: int) -> None:
        """In the engine's thread; after a refusal nothing of the same epoch, to keep the order."""
        if self.world.away or epoch <= self._broken:
            return
        try:
            self.world.publish(message)
        except DsmtError as error:
            self._broken = epoch
            hand_over(self._loop, self._refused, epoch, error)
        else:
            hand_over(self._loop, self._confirmed, epoch, tag)

    def _confirmed(self, epoch: int, tag: int) -> None:
        if epoch == self._epoch:
            self._publisher.confirm(tag)

    def _refused(self, epoch: int, error: DsmtError) -> None:
        if epoch == self._epoch:
            self._publisher.suspend(error)
            self._loop.call_later(_AGAIN_S, self._reopen, epoch)

    def _reopen(self, epoch: int) -> None:
        """Send again from the first unconfirmed, unless something else has begun anew meanwhile."""
        if epoch == self._epoch and self._connected.is_set() and not self._closed:
            self._epoch, self._tag = epoch + 1, 0
            self._publisher.open(self._transmit)

    def _send_unconfirmed(self, message: Message) -> None:
        """In the engine's thread."""
        with contextlib.suppress(NotFound):
            if not self.world.away:
                self.world.publish(message)
