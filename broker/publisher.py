"""Publishing with confirms: pipelined, in order, bounded; again from the first unconfirmed one.

The part that every adapter shares. A publisher waits for its confirm; what is posted waits in the
outbox while the broker is away or blocks. An adapter says when it can send (`open`), how (``transmit``),
and what became of it (`confirm`, `refuse`, `suspend`, `disconnected`).

Rule: a channel that refuses an event, or leaves one without an answer, is not waited for: it is left, and
all that is unconfirmed is sent again on the next one, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from broker.bus import Health, Limits
from broker.outgoing import Entry, Outgoing
from broker.sending import checked
from dsmt_core.errors import DsmtError, NotFound, Unavailable
from dsmt_core.events import Event
from dsmt_core.history import kept
from dsmt_core.wire import MSGPACK

_SWEEP_S: Final = 0.5
# So many are encoded and handed over in a turn of the event loop: some milliseconds.
_AT_ONCE: Final = 100


def _stay(_error: DsmtError) -> None:
    """There is no other way of sending."""


class Publisher:
    """The confirmed way out of one bus.

    Args:
        limits: its bounds.
        health: where it counts.
        user: in whose name it publishes.
    """

    def __init__(self, limits: Limits, health: Health, user: str) -> None:
        self._limits = limits
        self._health = health
        self._user = user
        self._out = Outgoing(limits, health)
        self._transmit: Callable[[Entry], None] | None = None
        self._leave: Callable[[DsmtError], None] = _stay
        self._connected = False
        self._blocked = False
        self._idle = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._sweep: asyncio.TimerHandle | None = None

    async def publish(self, event: Event, exchange: str, *, content_type: str = MSGPACK) -> None:
        """See `broker.bus.Bus.publish`."""
        await self._hand_over(event, exchange, content_type)

    async def publish_all(self, events: Iterable[Event], exchange: str) -> None:
        """See `broker.bus.Bus.publish_all`."""
        under_way: deque[asyncio.Future[bool]] = deque()
        refused: DsmtError | None = None
        try:
            for number, event in enumerate(events, 1):
                if len(under_way) >= self._limits.unconfirmed:
                    await under_way.popleft()
                try:
                    under_way.append(self._hand_over(event, exchange, MSGPACK))
                except DsmtError as error:
                    refused = error
                    break
                if not number % _AT_ONCE:
                    # What was handed over goes out, and whoever else has work gets on with it.
                    await asyncio.sleep(0)
            while under_way:
                await under_way.popleft()
            if refused is not None:
                raise refused
        finally:
            _abandon(under_way)

    def _hand_over(self, event: Event, exchange: str, content_type: str) -> asyncio.Future[bool]:
        """Begin to publish ``event``; the future is done when it is confirmed, or has failed."""
        key, body = checked(
            event,
            exchange,
            user=self._user,
            content_type=content_type,
            most=self._limits.event_bytes,
        )
        if not self._connected:
            raise Unavailable("the broker is away", hint=self._health.last_error)
        waiter: asyncio.Future[bool] = self._loop.create_future()
        deadline = self._loop.time() + self._limits.confirm_s
        entry = Entry(
            exchange,
            key,
            body,
            waiter,
            deadline,
            content_type=content_type,
            kept=kept(event),
            ttl=event.ttl,
        )
        self._take(entry, self._out.add)
        self._pump()
        return waiter

    async def post(self, event: Event, exchange: str) -> bool:
        """See `broker.bus.Bus.post`."""
        key, body = checked(event, exchange, user=self._user, most=self._limits.event_bytes)
        deadline = self._loop.time() + self._limits.confirm_s
        entry = Entry(exchange, key, body, None, deadline, posted=True, kept=kept(event), ttl=event.ttl)
        if not self._connected or self._blocked:
            self._take(entry, self._out.shelve)
            return False
        waiter = entry.waiter = self._loop.create_future()
        self._take(entry, self._out.add)
        self._pump()
        confirmed: bool = await waiter
        return confirmed

    def connected(self) -> None:
        """There is a connection: publishers wait for it instead of failing."""
        self._connected = True

    def open(self, transmit: Callable[[Entry], None], leave: Callable[[DsmtError], None] = _stay) -> None:
        """From now on ``transmit`` sends; what it is given is confirmed by numbers that count from 1.

        Args:
            transmit: sends one entry.
            leave: ends this way of sending at once, with `suspend`, so that a new one is opened.
        """
        self._transmit = transmit
        self._leave = leave
        self._pump()

    def suspend(self, error: DsmtError) -> None:
        """It cannot send any more: the broker refused something, or the connection is gone.

        Args:
            error: `Unavailable` when nothing that was sent is to blame.
        """
        if self._transmit is None:
            return
        self._transmit = None
        if not isinstance(error, Unavailable):
            self._health.last_error = error.message
            away = isinstance(error, NotFound)
            shown = Unavailable(error.message, hint="has the planner started?") if away else error
            self._out.blame(shown, keep_posted=away)
        self._out.rewind()

    def disconnected(self) -> None:
        """The connection is gone."""
        self._transmit = None
        self._connected = self._blocked = False
        self._out.rewind()
        self._out.disconnected()
        self._idle.set()

    def block(self, *, blocked: bool) -> None:
        """The broker blocks publishers, or does not any more."""
        self._blocked = blocked
        self._pump()

    def confirm(self, tag: int, *, multiple: bool = False) -> None:
        """The broker has what was sent as number ``tag`` (and all before it)."""
        self._out.confirm(tag, multiple=multiple)
        self._pump()
        if self._out.empty:
            self._idle.set()

    def refuse(self) -> None:
        """The broker could not take something now."""
        self._change("the broker refused an event for now")

    async def drain(self, within_s: float) -> None:
        """Wait until all is confirmed, as long as there is a connection."""
        if not self._connected or self._out.empty:
            return
        self._idle.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()

    def end(self) -> None:
        """Give up what is under way; may be called twice."""
        self._connected = False
        self._transmit = None
        if self._sweep is not None:
            self._sweep.cancel()
        self._out.end(Unavailable("the bus is closed"))

    def _take(self, entry: Entry, take: Callable[[Entry], None]) -> None:
        take(entry)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP_S, self._expire)

    def _pump(self) -> None:
        """Send what the window has room for."""
        while self._transmit is not None and not self._blocked:
            entry = self._out.next()
            if entry is None:
                break
            self._transmit(entry)
        self._health.unconfirmed = self._out.unconfirmed

    def _change(self, why: str) -> None:
        """Leave the channel: RabbitMQ may go on for ever as it does, on this one only."""
        self._health.last_error = why
        self._leave(Unavailable(why, hint="it is sent again"))

    def _expire(self) -> None:
        now = self._loop.time()
        self._out.expire(now)
        if self._out.stalled(now, excused=self._blocked):
            self._change("the broker left an event without confirm")
        # Who has nothing to say is not woken: a node has a hundred such processes.
        self._sweep = None if self._out.empty else self._loop.call_later(_SWEEP_S, self._expire)


def _abandon(waiters: Iterable[asyncio.Future[bool]]) -> None:
    """Nobody waits for them any more: what is not sent yet stays unsent."""
    for waiter in waiters:
        if not waiter.cancel() and not waiter.cancelled():
            waiter.exception()
