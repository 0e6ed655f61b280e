"""What reads a queue, set up again whenever its channel, its consumer or the connection ends.

`Reader` is the common part; `Consumer` reads a queue of the topology, `Lease` makes one of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Final, Protocol

from broker import retry
from broker.buffer import Buffer
from broker.bus import Delivery, Health, Limits, Link
from broker.rabbit.acks import Acks
from broker.rabbit.channel import Channel, Unanswered
from broker.rabbit.connection import Connection
from broker.reading import Message, Refused, read
from dsmt_core import channels
from dsmt_core.errors import DeadlinePassed, Denied, DsmtError, Unavailable

_LONGEST_WAIT_S: Final = 5.0
_NO_HEADERS: Final[Mapping[str, Any]] = MappingProxyType({})
# So often in a row a queue may be silent. Once may be a pause of the broker; before the second time it has
# answered on the same connection.
_SILENCES: Final = 2
# In a cluster a queue is silent until the host of its leader is given up and another is elected: some 12 s.
_SILENCES_OF_CLUSTER: Final = 6


class Owner(Protocol):
    """What a reader needs of its bus."""

    limits: Limits
    health: Health
    user: str
    hosts: int

    def dead(self, message: Message, reason: str) -> None:
        """Send a refused message to the dead letters."""
        ...

    def attach(self, reader: Reader) -> None:
        """Have `Reader.keep` run on this and every later connection."""
        ...

    async def detach(self, reader: Reader) -> None:
        """Have it run no longer."""
        ...


class Reader:
    """One subscription; an asynchronous context manager around an iterator of deliveries.

    Args:
        owner: its bus.
        under: deliveries from channels outside are refused.
        prefetch: how many may be unacknowledged.
        buffer: how many may wait for the reader; 0 leaves that to ``prefetch``.
    """

    ends_when_silent: ClassVar[bool] = False

    def __init__(self, owner: Owner, *, under: channels.Channel, prefetch: int, buffer: int) -> None:
        self._owner = owner
        self._under = under
        self._prefetch = prefetch
        bytes_ = owner.limits.lease_buffer_bytes if buffer else 0
        self._buffer = Buffer(buffer, owner.health, limit_bytes=bytes_)
        self._channel: Channel | None = None
        self._acks: Acks | None = None
        self._silences = 0
        self.tried = asyncio.Event()
        self.in_place: asyncio.Future[DsmtError | None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> AsyncIterator[Delivery]:
        self._owner.attach(self)
        try:
            await self.entered()
        except BaseException:
            await self._owner.detach(self)
            raise
        return self._buffer

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def entered(self) -> None:
        """Wait for whatever entering promises."""

    async def set_up(self, channel: Channel) -> str:
        """Make what is needed on a fresh channel; the name of the queue to consume."""
        raise NotImplementedError

    async def leave(self, channel: Channel) -> None:
        """Undo what need not stay, in the end."""

    async def close(self) -> None:
        """End it; the iterator ends after what it has. May be called twice."""
        await self._owner.detach(self)
        channel, self._channel = self._channel, None
        if channel is not None and channel.raw.is_open:
            if self._acks is not None:
                self._acks.flush()
            await self._undo(channel)
        self._buffer.end()

    async def keep(self, connection: Connection) -> None:
        """Have a consumer in place until ``connection`` ends."""
        backoff = retry.consumer()
        self._silences = 0
        while connection.is_open:
            try:
                ended = await self._consume(connection)
            except (Denied, DeadlinePassed) as error:
                self._give_up(error)
                return
            except DsmtError as error:
                self._owner.health.last_error = error.message
            else:
                backoff.reset()
                self.tried.set()
                if not self.in_place.done():
                    self.in_place.set_result(None)
                await self.attended(ended)
                self.interrupted()
            self.tried.set()
            await asyncio.sleep(backoff.next_s())

    async def attended(self, ended: asyncio.Future[None]) -> None:
        """Wait until the consumer has ended, or end it."""
        await ended

    async def _consume(self, connection: Connection) -> asyncio.Future[None]:
        """Put a consumer in place; the future is done when it has ended."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(*_: object) -> None:
            if not ended.done():
                ended.set_result(None)

        channel = await Channel.open(connection, self._owner.limits, end)
        try:
            queue = await self.set_up(channel)
            # A broker cancels a consumer whose queue was deleted, and leaves the channel open.
            channel.raw.add_on_cancel_callback(end)
            await channel.request(partial(_set_prefetch, channel.raw, self._prefetch), "prefetch")
            acks = Acks(channel, self._prefetch)
            self._channel, self._acks = channel, acks
            start = partial(self._start, channel.raw, queue, partial(self._deliver, acks))
            await self.granted(channel, queue, start)
        except BaseException:
            self._channel = None
            await channel.close()
            raise
        return ended

    async def granted(
        self, channel: Channel, queue: str, start: Callable[[Callable[[Any], None]], None]
    ) -> None:
        """Ask the broker to deliver, and wait until it does.

        Raises:
            NotFound, Denied, Unavailable: it refused, or did not answer.
            DeadlinePassed: it has been silent too often.
        """
        try:
            await channel.request(start, f"consuming {queue}", within_s=self._owner.limits.consume_s)
        except Unanswered as error:
            if self._owner.health.link is Link.CONNECTED:
                # A broker that blocks does not even read the request.
                self._silences += 1
            patience = _SILENCES if self._owner.hosts == 1 else _SILENCES_OF_CLUSTER
            if self.ends_when_silent and self._silences >= patience:
                raise DeadlinePassed(
                    f"the queue {queue} does not answer although the broker does",
                    hint="RabbitMQ may have lost the queue's leader: delete it, and declare it again",
                ) from error
            raise
        self._silences = 0

    def _start(
        self, raw: Any, queue: str, deliver: Callable[..., None], callback: Callable[[Any], None]
    ) -> None:
        raw.basic_consume(queue, deliver, exclusive=self.exclusive(queue), callback=callback)

    def exclusive(self, _queue: str) -> bool:
        """Whether the broker is to refuse a second consumer."""
        return True

    def _deliver(self, acks: Acks, _raw: Any, method: Any, properties: Any, body: bytes) -> None:
        message = Message(
            body,
            properties.content_type or "",
            method.exchange,
            method.routing_key,
            properties.user_id or "",
            method.redelivered,
            properties.headers or _NO_HEADERS,
        )
        event = read(message, self._under, self._owner.limits.event_bytes)
        refuse = partial(self._refuse, acks, method.delivery_tag, message)
        if isinstance(event, Refused):
            refuse(event.reason)
            return
        self._take(
            Delivery(
                event,
                method.exchange,
                message.user_id,
                method.redelivered,
                size=len(body),
                ack=partial(acks.done, method.delivery_tag),
                refuse=refuse,
            )
        )

    def _refuse(self, acks: Acks, tag: int, message: Message, reason: str) -> None:
        self._owner.dead(message, reason)
        acks.done(tag)

    def _take(self, delivery: Delivery) -> None:
        self._buffer.put(delivery)

    def interrupted(self) -> None:
        """The consumer has ended; another will be put in place."""

    def _give_up(self, error: DsmtError) -> None:
        self.tried.set()
        if not self.in_place.done():
            self.in_place.set_result(error)
        self._buffer.end(error)

    async def _undo(self, channel: Channel) -> None:
        try:
            async with asyncio.timeout(min(_LONGEST_WAIT_S, self._owner.limits.close_s)):
                await self.leave(channel)
                await channel.close()
        except (DsmtError, TimeoutError) as error:
            self._owner.health.last_error = str(error)


def _set_prefetch(raw: Any, count: int, callback: Callable[[Any], None]) -> None:
    raw.basic_qos(prefetch_count=count, callback=callback)


async def placed(reader: Reader, within_s: float) -> None:
    """Wait until ``reader`` is in place for the first time.

    Raises:
        Unavailable: it was not within ``within_s``.
        Denied: the broker refuses it.
    """
    done, _ = await asyncio.wait({reader.in_place}, timeout=within_s)
    if not done:
        raise Unavailable("the lease could not be made in time", hint="is the broker running?")
    error = reader.in_place.result()
    if error is not None:
        raise error
