"""One AMQP channel whose requests can be awaited; an error of the broker closes it and only it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pika.exceptions import AMQPError, ChannelWrongStateError

from broker.bus import Limits
from broker.rabbit.connection import Connection
from broker.rabbit.refusals import ours
from dsmt_core.errors import DsmtError, Unavailable


class Unanswered(Unavailable):
    """The broker did not answer a request in time."""


class Channel:
    """An open channel.

    Attributes:
        closed: done when it has ended, with the reason.
        raw: pika's channel.
    """

    def __init__(self, limits: Limits, on_closed: Callable[[DsmtError], None] | None) -> None:
        self.closed: asyncio.Future[DsmtError] = asyncio.get_running_loop().create_future()
        self.raw: Any = None
        self._limits = limits
        self._on_closed = on_closed
        self._pending: set[asyncio.Future[Any]] = set()
        self._silent = False

    @classmethod
    async def open(
        cls,
        connection: Connection,
        limits: Limits,
        on_closed: Callable[[DsmtError], None] | None = None,
    ) -> Channel:
        """Open a channel.

        Args:
            connection: where.
            limits: an answer takes at most ``confirm_s``.
            on_closed: called, at once, when the channel has ended for whatever reason.

        Raises:
            Unavailable: the connection is gone, or did not answer.
        """
        channel = cls(limits, on_closed)
        channel.raw = await channel.request(
            lambda callback: channel._begin(connection, callback), "opening a channel"
        )
        return channel

    async def request(
        self, send: Callable[[Callable[[Any], None]], Any], what: str, *, within_s: float = 0.0
    ) -> Any:
        """Send a request that takes a callback, and await its answer.

        Args:
            send: called with the callback.
            what: for the error's text.
            within_s: how long the answer may take; 0 stands for ``Limits.confirm_s``.

        Raises:
            Unanswered: no answer in time.
            Unavailable, Denied, NotFound, Conflict: what closed the channel instead.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending.add(answer)
        try:
            send(lambda frame: None if answer.done() else answer.set_result(frame))
            async with asyncio.timeout(within_s or self._limits.confirm_s):
                result = await answer
        except AMQPError as error:
            raise ours(error) from error
        except TimeoutError:
            self._silent = True
            raise Unanswered(f"the broker did not answer: {what}") from None
        finally:
            self._pending.discard(answer)
        if isinstance(result, DsmtError):
            raise result
        return result

    def publish(self, exchange: str, key: str, properties: bytes, body: bytes) -> None:
        """Send a message; see `broker.rabbit.gathering.GatheringConnection.publish`.

        Raises:
            ChannelWrongStateError: it is not open any more.
        """
        raw = self.raw
        if not raw.is_open:
            raise ChannelWrongStateError("the channel is not open")
        raw.connection.publish(raw.channel_number, exchange, key, properties, body)

    async def close(self) -> None:
        """Close it; what closed it before does not matter, and a silent one is not waited for."""
        if self.raw is not None and self.raw.is_open:
            self.raw.close()
            if not self._silent:
                await asyncio.wait({self.closed}, timeout=self._limits.close_s)

    def leave(self, error: DsmtError) -> None:
        """End it at once, with ``error`` as the reason: the broker's answer may never come."""
        self._end(error)
        if self.raw is not None and self.raw.is_open:
            self.raw.close()

    def _begin(self, connection: Connection, callback: Callable[[Any], None]) -> None:
        raw = connection.raw.channel(on_open_callback=callback)
        raw.add_on_close_callback(self._ended)

    def _ended(self, _raw: Any, reason: BaseException) -> None:
        self._end(ours(reason))

    def _end(self, error: DsmtError) -> None:
        if self.closed.done():
            return
        self.closed.set_result(error)
        for answer in self._pending:
            if not answer.done():
                answer.set_result(error)
        if self._on_closed is not None:
            self._on_closed(error)
