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
from dsmt_core import channels
from dsmt_core.errors import Denied, DsmtError


class Owner(Protocol):
    """What a reader needs of its bus."""

    limits: Limits
    health: Health
    world: World

    async def call(self, work: Callable[[], Any]) -> Any:
        """Do something in the engine's thread and await it."""
        ...

    def do(self, work: Callable[[], None]) -> None:
        """Have something done there."""
        ...

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters."""
        ...

    def demand_reading(self, queue: str) -> None:
        """Raise `Denied` when its user may not read ``queue``."""
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
        make: run in the engine's thread before reading; deletes the queue in the end when given.
    """

    def __init__(
        self,
        owner: Owner,
        queue: str,
        *,
        under: channels.Channel,
        prefetch: int,
        make: Callable[[], None] | None = None,
    ) -> None:
        self._owner = owner
        self._queue = queue
        self._under = under
        self._prefetch = prefetch
        self._make = make
        self._buffer = Buffer(0 if prefetch else owner.limits.lease_buffer, owner.health)
        self._loop = asyncio.get_running_loop()
        self._current: Subscription | None = None
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.tried = asyncio.Event()

    async def __aenter__(self) -> AsyncIterator[Delivery]:
        self._owner.readers().add(self)
        try:
            if self._make is not None:
                await self._subscribe()
                self.tried.set()
            self._task = asyncio.create_task(self._keep())
        except BaseException:
            await self.close()
            raise
        return self._buffer

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

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
        if self._make is not None:
            self._owner.do(partial(self._owner.world.delete, self._queue))
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
            except Denied as error:
                self._buffer.end(error)
                self.tried.set()
                return
            except DsmtError as error:
                self._owner.health.last_error = error.message
            else:
                backoff.reset()
                self.tried.set()
                await self._gone.wait()
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
            if self._make is not None:
                self._make()
            else:
                self._owner.demand_reading(self._queue)
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
            if self._prefetch:
                self._buffer.clear()
            else:
                self._buffer.lose(1)

    def _deliver(self, subscription: Subscription, tag: int, message: Message) -> None:
        if self._current is not subscription:
            return
        acknowledge = partial(self._owner.do, partial(self._owner.world.acknowledge, subscription, tag))
        event = read(message, self._under)
        if isinstance(event, Refused):
            self._owner.dead(message, event.reason)
            acknowledge()
            return
        self._buffer.put(
            Delivery(event, message.exchange, message.user_id, message.redelivered, ack=acknowledge)
        )
