"""What reads a queue of the embedded world, set up again whenever it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from broker import retry
from broker.buffer import Buffer
from broker.bus import Delivery, Health, Limits
from broker.embedded.engine import hand_over
from broker.embedded.world import Subscription, World
from broker.reading import Message, Refused, read
from broker.topology import Binding
from dsmt_core import channels
from dsmt_core.errors import DeadlinePassed, Denied, DsmtError


class Owner(Protocol):
    """What a reader needs of its bus."""

    limits: Limits
    health: Health
    world: World
    user: str

    async def call(self, work: Callable[[], Any]) -> Any:
        """Do something in the engine's thread and await it."""
        ...

    def do(self, work: Callable[[], None]) -> None:
        """Have something done there."""
        ...

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters."""
        ...

    def demand_reading(self, name: str) -> None:
        """Raise `Denied` when its user may not read the queue or exchange ``name``."""
        ...

    def demand_binding(self, binding: Binding) -> None:
        """Raise `Denied` when its user may not make ``binding``."""
        ...

    def demand_making(self, queue: str) -> None:
        """Raise `Denied` when its user may not make ``queue``."""
        ...

    def send_unconfirmed(self, message: Message) -> None:
        """Publish without waiting for it."""
        ...

    def readers(self) -> set[Reader]:
        """All that are entered."""
        ...


class Reader:
    """One subscription; an asynchronous context manager around an iterator of deliveries.

    Args:
        owner: its bus.
        queue: its name.
        under: deliveries from channels outside are refused.
        prefetch: how many may be unacknowledged; 0 acknowledges each at once.
    """

    def __init__(self, owner: Owner, queue: str, *, under: channels.Channel, prefetch: int) -> None:
        self._owner = owner
        self._queue = queue
        self._under = under
        self._prefetch = prefetch
        limits = owner.limits
        most, most_bytes = (0, 0) if prefetch else (limits.lease_buffer, limits.lease_buffer_bytes)
        self._buffer = Buffer(most, owner.health, limit_bytes=most_bytes)
        self._loop = asyncio.get_running_loop()
        self._current: Subscription | None = None
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.tried = asyncio.Event()

    async def __aenter__(self) -> AsyncIterator[Delivery]:
        self._owner.readers().add(self)
        try:
            await self.entered()
            self._task = asyncio.create_task(self._keep())
        except BaseException:
            await self.close()
            raise
        return self._buffer

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def entered(self) -> None:
        """Wait for whatever entering promises."""

    def make(self) -> None:
        """Make what is to be read, in the engine's thread.

        Raises:
            Denied: the user may not.
            NotFound: something is missing.
        """
        self._owner.demand_reading(self._queue)

    async def attended(self) -> None:
        """Wait until the subscription has ended, or end it."""
        await self._gone.wait()

    def gap(self) -> None:
        """The subscription has ended; another will be put in place."""
        # What was not acknowledged is delivered again.
        self._buffer.clear()

    async def close(self) -> None:
        """End it; may be called twice."""
        self._owner.readers().discard(self)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        current, self._current = self._current, None
        if current is not None:
            self._owner.do(partial(self._owner.world.unsubscribe, current))
        self._buffer.end()

    def interrupt(self) -> None:
        """The broker is away: what was not acknowledged comes again."""
        if self._current is not None:
            self._owner.do(partial(self._owner.world.unsubscribe, self._current))
            self._ended(self._current)

    async def _keep(self) -> None:
        backoff = retry.consumer()
        while True:
            try:
                if self._current is None:
                    self._gone.clear()
                    await self._subscribe()
            except (Denied, DeadlinePassed) as error:
                self._buffer.end(error)
                self.tried.set()
                return
            except DsmtError as error:
                self._owner.health.last_error = error.message
            else:
                backoff.reset()
                self.tried.set()
                await self.attended()
            self.tried.set()
            await asyncio.sleep(backoff.next_s())

    async def _subscribe(self) -> None:
        subscription = Subscription(
            self._queue,
            deliver=lambda tag, message: hand_over(self._loop, self._deliver, subscription, tag, message),
            ended=lambda: hand_over(self._loop, self._ended, subscription),
            prefetch=self._prefetch,
        )

        def work() -> None:
            self.make()
            self._owner.world.subscribe(subscription)

        self._current = subscription
        try:
            await self._owner.call(work)
        except BaseException:
            self._current = None
            self._owner.do(partial(self._owner.world.unsubscribe, subscription))
            raise

    def _ended(self, subscription: Subscription) -> None:
        if self._current is subscription:
            self._current = None
            self._gone.set()
            self.gap()

    def _deliver(self, subscription: Subscription, tag: int, message: Message) -> None:
        if self._current is not subscription:
            return
        acknowledge = partial(self._owner.do, partial(self._owner.world.acknowledge, subscription, tag))
        if self.takes(message):
            return

        def refuse(reason: str) -> None:
            self._owner.dead(message, reason)
            acknowledge()

        event = read(message, self._under, self._owner.limits.event_bytes)
        if isinstance(event, Refused):
            refuse(event.reason)
            return
        self._take(
            Delivery(
                event,
                message.exchange,
                message.user_id,
                message.redelivered,
                size=len(message.body),
                ack=acknowledge,
                refuse=refuse,
            )
        )

    def takes(self, _message: Message) -> bool:
        """Whether the message is for this reader itself, and has been dealt with."""
        return False

    def _take(self, delivery: Delivery) -> None:
        self._buffer.put(delivery)
