"""What is to be sent and what is not yet confirmed, in order and bounded. Decides only; sends nothing.

`waiting` holds what is not sent (in the order of publishing), `sent` what is not confirmed (in the
order of sending). A channel that is lost, or left, puts the unconfirmed back in front, so that sending
goes on from the first of them. An entry that nobody waits for is in the outbox.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from broker.bus import Health, Limits
from broker.reading import Message
from broker.topology import KEEP
from dsmt_core.errors import DsmtError, Unavailable
from dsmt_core.events import DELIVERY_TTL_S
from dsmt_core.wire import MSGPACK


@dataclass(slots=True, eq=False)
class Entry:
    """One event on its way.

    Attributes:
        waiter: who waits for it: True is confirmed, False is in the outbox; None is nobody.
        deadline: when the waiter gives up, by the monotonic clock.
        posted: it goes to the outbox rather than failing.
        dropped: it is not to be sent (again).
        content_type: which codec wrote the body.
        kept: it belongs into the history.
        ttl: its delivery time-to-live, seconds.
    """

    exchange: str
    key: str
    body: bytes
    waiter: asyncio.Future[bool] | None
    deadline: float
    posted: bool = False
    dropped: bool = False
    content_type: str = MSGPACK
    kept: bool = False
    ttl: float = DELIVERY_TTL_S

    @property
    def obsolete(self) -> bool:
        """Whether sending it would serve nobody."""
        return self.dropped or (self.waiter is not None and self.waiter.done())

    def message(self, user: str, now: float) -> Message:
        """As the embedded broker takes it.

        Args:
            user: who publishes.
            now: seconds, by the monotonic clock.
        """
        return Message(
            self.body,
            self.content_type,
            self.exchange,
            self.key,
            user,
            headers=KEEP if self.kept else {},
            expires_at=now + self.ttl,
        )


class Outgoing:
    """The queue of one publisher.

    Args:
        limits: its bounds.
        health: where it counts.
    """

    def __init__(self, limits: Limits, health: Health) -> None:
        self._limits = limits
        self._health = health
        self._waiting: deque[Entry] = deque()
        self._sent: dict[int, Entry] = {}
        self._bytes = 0
        self._outbox_bytes = 0
        self._tag = 0
        self._suspects = 0
        # The first of the unconfirmed, and since when it has been that; 0 is none.
        self._first = 0
        self._first_since = 0.0

    @property
    def empty(self) -> bool:
        """Whether nothing waits, sent or not."""
        return not self._sent and not self._waiting

    @property
    def unconfirmed(self) -> int:
        """How many were sent and are not confirmed."""
        return len(self._sent)

    def add(self, entry: Entry) -> None:
        """Take ``entry`` behind all others."""
        self._waiting.append(entry)

    def shelve(self, entry: Entry) -> None:
        """Take ``entry`` into the outbox, behind all others."""
        self._waiting.append(entry)
        self._into_outbox(entry)

    def next(self) -> Entry | None:
        """The next to send, counted as sent; None when there is none, or no room in the window."""
        while self._waiting:
            entry = self._waiting[0]
            if entry.obsolete:
                self._waiting.popleft()
                continue
            if self._sent and not self._has_room(len(entry.body)):
                return None
            self._waiting.popleft()
            self._tag += 1
            self._sent[self._tag] = entry
            self._bytes += len(entry.body)
            return entry
        return None

    def confirm(self, tag: int, *, multiple: bool) -> None:
        """The broker has what was sent as number ``tag`` (and all before it)."""
        for number in self._numbers(tag, multiple=multiple):
            entry = self._sent.pop(number)
            self._bytes -= len(entry.body)
            self._suspects = max(0, self._suspects - 1)
            if entry.waiter is None:
                if not entry.dropped:
                    self._out_of_outbox(entry)
            elif not entry.waiter.done():
                entry.waiter.set_result(True)
        self._health.unconfirmed = len(self._sent)

    def stalled(self, now: float, *, excused: bool) -> bool:
        """Whether the first of the unconfirmed has been that for ``Limits.settle_s``, in all looks since.

        Args:
            now: seconds, by the monotonic clock.
            excused: there is a known reason for waiting, so the time begins anew.
        """
        first = next(iter(self._sent), 0)
        if first != self._first or excused:
            self._first, self._first_since = first, now
        return first != 0 and now - self._first_since > self._limits.settle_s

    def rewind(self) -> None:
        """The channel is gone: what was sent and not confirmed is to be sent again, first and in order."""
        self._waiting.extendleft(entry for entry in reversed(self._sent.values()) if not entry.obsolete)
        self._sent.clear()
        self._bytes = 0
        self._tag = self._first = 0
        self._health.unconfirmed = 0

    def disconnected(self) -> None:
        """The connection is gone: what was posted waits in the outbox from now on."""
        for entry in list(self._waiting):
            if entry.posted and entry.waiter is not None:
                self._leave(entry)

    def blame(self, error: DsmtError, *, keep_posted: bool) -> None:
        """The broker closed the channel because of one of those that were sent; which is not told.

        With one sent, it is that; otherwise they are sent again one by one until it is found.

        Args:
            error: what the broker said.
            keep_posted: the cause may go away, so what was posted is tried again.
        """
        if len(self._sent) != 1:
            self._suspects = len(self._sent)
            return
        self._suspects = max(0, self._suspects - 1)
        entry = next(iter(self._sent.values()))
        if entry.waiter is None:
            if not keep_posted:
                self._drop(entry)
        elif not entry.waiter.done():
            if entry.posted and keep_posted:
                self._leave(entry)
            else:
                entry.waiter.set_exception(error)

    def expire(self, now: float) -> None:
        """End the waits whose time is over; what was posted stays, in the outbox."""
        for entry in (*self._sent.values(), *self._waiting):
            if entry.waiter is None or entry.waiter.done() or entry.deadline > now:
                continue
            if entry.posted:
                self._leave(entry)
            else:
                entry.waiter.set_exception(
                    Unavailable("the broker did not confirm in time", hint="publishing again is safe")
                )

    def end(self, error: DsmtError) -> None:
        """Nothing will be sent any more: tell all who wait."""
        for entry in (*self._sent.values(), *self._waiting):
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.set_exception(error)
        self._sent.clear()
        self._waiting.clear()

    def _has_room(self, size: int) -> bool:
        if self._suspects:
            return False
        limits = self._limits
        return len(self._sent) < limits.unconfirmed and self._bytes + size <= limits.unconfirmed_bytes

    def _numbers(self, tag: int, *, multiple: bool) -> list[int]:
        if not multiple:
            return [tag] if tag in self._sent else []
        numbers = []
        for number in self._sent:
            if number > tag:
                break
            numbers.append(number)
        return numbers

    def _leave(self, entry: Entry) -> None:
        """Its publisher goes on; the entry is in the outbox from now on."""
        if entry.waiter is not None and not entry.waiter.done():
            entry.waiter.set_result(False)
            self._into_outbox(entry)

    def _into_outbox(self, entry: Entry) -> None:
        entry.waiter = None
        self._health.outbox += 1
        self._outbox_bytes += len(entry.body)
        while self._health.outbox > self._limits.outbox or self._outbox_bytes > self._limits.outbox_bytes:
            oldest = next((e for e in self._waiting if e.waiter is None and not e.dropped), None)
            if oldest is None:
                break
            self._drop(oldest)

    def _out_of_outbox(self, entry: Entry) -> None:
        self._health.outbox -= 1
        self._outbox_bytes -= len(entry.body)

    def _drop(self, entry: Entry) -> None:
        entry.dropped = True
        self._out_of_outbox(entry)
        self._health.dropped += 1
        if self._waiting and self._waiting[0] is entry:
            self._waiting.popleft()
