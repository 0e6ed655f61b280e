"""Which connections to the broker end: news for whoever watches over those that made them.

They come from RabbitMQ's plug-in rabbitmq_event_exchange, to who may read its exchange: the planner.

Rule: a hint and no more. The name is what the client said when it connected, so whoever may connect can
say the name of another; and a connection that ends says nothing of the process behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Denied, DsmtError
from dsmt_core.names import Host

EXCHANGE: Final = "amq.rabbitmq.event"
CLOSED: Final = "connection.closed"
MOST: Final = 10_000
"""So many wait for a slow reader, and the oldest go: a node more or less is noticed by its heartbeats."""

_NODE: Final = "dsmt-node "


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection has ended; ``name`` is what its client called it, empty when it did not."""

    name: str


Endings = AbstractAsyncContextManager[AsyncIterator[Ended]]


class Nowhere(AbstractAsyncContextManager[AsyncIterator[Ended]]):
    """What a broker without connections has: entering raises `Denied`."""

    async def __aenter__(self) -> AsyncIterator[Ended]:
        raise Denied("this broker does not tell which connections end", hint="RabbitMQ does")

    async def __aexit__(self, *_: object) -> None:
        """Nothing was begun."""


def node_connection(host: Host) -> str:
    """What the container manager of a node calls its connection."""
    return f"{_NODE}{host}"


def node_of(ended: Ended) -> Host | None:
    """The node whose container manager calls its connection so; None when it is none's."""
    return Host(ended.name.removeprefix(_NODE)) if ended.name.startswith(_NODE) else None


class Heard:
    """An iterator over what was heard; bounded, and an error ends it."""

    def __init__(self, most: int = MOST) -> None:
        self._ended: deque[Ended] = deque(maxlen=most)
        self._news = asyncio.Event()
        self._error: DsmtError | None = None

    def put(self, ended: Ended) -> None:
        """One more."""
        self._ended.append(ended)
        self._news.set()

    def end(self, error: DsmtError) -> None:
        """Nothing comes any more."""
        self._error = self._error or error
        self._news.set()

    def __aiter__(self) -> Heard:
        return self

    async def __anext__(self) -> Ended:
        while not self._ended:
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
        return self._ended.popleft()
