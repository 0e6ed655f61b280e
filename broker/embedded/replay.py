"""Reading what an embedded world has kept, in portions, as fast as the reader asks for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Final, Protocol

from broker import retry
from broker.bus import Delivery
from broker.embedded.engine import hand_over
from broker.embedded.world import World
from broker.limits import Limits
from broker.reading import Message, Refused, read
from dsmt_core import channels
from dsmt_core.errors import Unavailable
from dsmt_core.history import Beginning, Since
from dsmt_core.rights import HISTORY

_PORTION: Final = 100


class Owner(Protocol):
    """What a replay needs of its bus."""

    world: World
    limits: Limits

    async def call(self, work: Callable[[], Any]) -> Any:
        """Do something in the engine's thread and await it."""
        ...

    def do(self, work: Callable[[], None]) -> None:
        """Have something done there."""
        ...

    def demand_reading(self, queue: str) -> None:
        """Raise `Denied` when its user may not read ``queue``."""
        ...

    def replays(self) -> set[Replay]:
        """All that are entered."""
        ...


class Replay:
    """See `broker.bus.Bus.replay`.

    Args:
        owner: its bus.
        since: the beginning.
        channel: only what lies at or below it.
    """

    def __init__(self, owner: Owner, since: Since, *, channel: channels.Channel) -> None:
        self._owner = owner
        self._next = since.offset or 0
        self._beginning = Beginning(since)
        self._channel = channel
        self._found: deque[Delivery] = deque()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._ended = False

    async def __aenter__(self) -> AsyncIterator[Delivery]:
        self._owner.demand_reading(HISTORY)
        await self._owner.call(lambda: self._owner.world.history.told.add(self._told))
        self._owner.replays().add(self)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Nothing more comes; may be called twice."""
        self._ended = True
        self._news.set()
        self._owner.replays().discard(self)
        self._owner.do(lambda: self._owner.world.history.told.discard(self._told))

    def __aiter__(self) -> Replay:
        return self

    async def __anext__(self) -> Delivery:
        backoff = retry.consumer()
        while not self._found:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            try:
                portion = await self._owner.call(self._portion)
            except Unavailable:
                # The world is away; what it has kept is still there when it comes back.
                await asyncio.sleep(backoff.next_s())
                continue
            for offset, message in portion:
                self._next = offset + 1
                self._offer(offset, message)
            if not portion:
                await self._news.wait()
        return self._found.popleft()

    def _portion(self) -> list[tuple[int, Message]]:
        return self._owner.world.history.behind(self._next, _PORTION)

    def _told(self) -> None:
        """In the engine's thread: there is more."""
        hand_over(self._loop, self._news.set)

    def _offer(self, offset: int, message: Message) -> None:
        event = read(message, channels.ROOT, self._owner.limits.event_bytes)
        if isinstance(event, Refused):
            return
        if message.exchange != HISTORY and not (
            channels.lies_under(event.channel, self._channel) and self._beginning.reached(event, offset)
        ):
            return
        self._found.append(Delivery(event, message.exchange, message.user_id, offset=offset))
