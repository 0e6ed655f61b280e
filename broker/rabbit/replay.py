"""Reading the history: a stream of RabbitMQ, consumed from a place in it.

A stream is not used up by reading: acknowledgements only let more come. So a reader that begins anew says
where, and whatever waited in between may be forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Self

from broker.bus import Delivery
from broker.rabbit.acks import Acks
from broker.rabbit.channel import Channel
from broker.rabbit.reader import Owner, Reader
from broker.reading import Message, Refused, read
from dsmt_core import channels
from dsmt_core.errors import NotFound, Unavailable
from dsmt_core.history import FIRST, Beginning, Since
from dsmt_core.rights import HISTORY

_PREFETCH: Final = 1_000
# What may wait for a slow reader besides; the prefetch bounds the number, this the size.
_WAITING_BYTES: Final = 16 << 20
_OFFSET: Final = "x-stream-offset"


class Replay(Reader):
    """See `broker.bus.Bus.replay`.

    Args:
        owner: its bus.
        since: the beginning.
        channel: only what lies at or below it.
    """

    def __init__(self, owner: Owner, since: Since, *, channel: channels.Channel) -> None:
        super().__init__(owner, under=channels.ROOT, prefetch=_PREFETCH, buffer=0)
        self._since = since
        self._beginning = Beginning(since)
        self._key = channels.routing_key(channel)
        self._waiting = self._waiting_bytes = 0
        self._spilled = False
        self._existed = False

    async def __aenter__(self) -> AsyncIterator[Delivery]:
        await super().__aenter__()
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        delivery = await anext(self._buffer)
        delivery.ack()
        self._waiting -= 1
        self._since = Since(offset=(delivery.offset or 0) + 1)
        self._waiting_bytes -= delivery.size
        if self._spilled and not self._waiting:
            self._begin_anew()
        return delivery

    async def entered(self) -> None:
        """Until the broker has begun to send."""
        done, _ = await asyncio.wait({self.in_place}, timeout=self._owner.limits.confirm_s)
        if not done:
            raise Unavailable("there is no history to read", hint=self._owner.health.last_error)
        if (error := self.in_place.result()) is not None:
            raise error

    async def set_up(self, channel: Channel) -> str:
        """Begin behind the last that was read; the planner declares the stream.

        Raises:
            NotFound: it is gone. The next one counts from 0, so it is read from its beginning, and the
                reader is told of a loss.
        """
        self.interrupted()
        try:
            await channel.request(
                lambda callback: channel.raw.queue_declare(HISTORY, passive=True, callback=callback),
                "looking for the history",
            )
        except NotFound:
            if self._existed:
                self._existed = False
                self._since = Since()
                self._buffer.lose(1)
            raise
        self._existed = True
        return HISTORY

    def interrupted(self) -> None:
        """Forget what waits: it comes again, behind the last that was read."""
        self._buffer.clear()
        self._beginning = Beginning(self._since)
        self._waiting = self._waiting_bytes = 0
        self._spilled = False

    def _start(
        self, raw: Any, queue: str, deliver: Callable[..., None], callback: Callable[[Any], None]
    ) -> None:
        # Not exclusive: any number may read a stream.
        arguments = {_OFFSET: _place(self._since)}
        raw.basic_consume(queue, deliver, arguments=arguments, callback=callback)

    def _deliver(self, acks: Acks, _raw: Any, method: Any, properties: Any, body: bytes) -> None:
        if self._spilled:
            return
        delivery = self._believed(acks, method, properties, body)
        if delivery is None:
            acks.done(method.delivery_tag)
            if not self._waiting:
                self._since = replace(self._since, offset=int(properties.headers[_OFFSET]) + 1)
            return
        if self._waiting_bytes > _WAITING_BYTES:
            # Nothing stops a stream but its acknowledgements: let the rest go by, and begin anew.
            self._spilled = True
            return
        self._waiting += 1
        self._waiting_bytes += len(body)
        self._take(delivery)

    def _believed(self, acks: Acks, method: Any, properties: Any, body: bytes) -> Delivery | None:
        """What belongs to this replay; None for all else."""
        marks = method.exchange == HISTORY
        if not marks and not self._lies_under(method.routing_key):
            return None
        message = Message(
            body,
            properties.content_type or "",
            method.exchange,
            method.routing_key,
            properties.user_id or "",
        )
        event = read(message, channels.ROOT, self._owner.limits.event_bytes)
        offset = int(properties.headers[_OFFSET])
        if isinstance(event, Refused) or not (marks or self._beginning.reached(event, offset)):
            return None
        ack = partial(acks.done, method.delivery_tag)
        return Delivery(event, method.exchange, message.user_id, ack=ack, offset=offset, size=len(body))

    def _lies_under(self, key: str | bytes) -> bool:
        """Whether a routing key is that of the channel or below; looked at before anything is decoded."""
        if not self._key:
            return True
        return isinstance(key, str) and (key == self._key or key.startswith(f"{self._key}."))

    def _begin_anew(self) -> None:
        """Have the stream consumed from behind the last that was read."""
        if self._channel is not None and self._channel.raw.is_open:
            self._channel.raw.close()


def _place(since: Since) -> Any:
    """The broker's word for a place in a stream."""
    if since.offset is not None:
        return since.offset
    return FIRST if since.time is None else datetime.fromtimestamp(since.time, UTC)
