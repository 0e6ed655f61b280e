"""The port to the event service, with what it promises. Every adapter passes one contract suite.

Promises:

1. `Bus.publish` returns when the broker has confirmed, or raises; its wait has a limit.
2. A publisher's events arrive in the order of their sending at each lease and queue.
3. At least once: after a reconnect, sending goes on from the first unconfirmed event, in order. A
   reader that must not act twice drops doubles (`dsmt_core.events.Doubles`).
4. Unconfirmed events are bounded in number and bytes: a publisher waits instead of growing.
5. With the broker away, at most `Limits.outbox` posted changes, of `Limits.outbox_bytes`, wait (the oldest
   is dropped and counted); hints (heartbeats) never wait.
6. Every delivery is decoded and checked (`dsmt_core.rights`) before a reader sees it; what fails goes
   to the dead letters with the reason, and the rest goes on.
7. A slow subscriber of a lease is told how many it lost; its buffer never grows beyond its bound. A
   lease that cannot be renewed for a whole term ends with an error: it never goes quiet.
8. Reconnection is endless with full jitter, and a blocked broker shows in `Health`.
9. What nobody has taken when its time-to-live (`Event.ttl`) is over, counted from when the broker took it
   and by the broker's clock, is not delivered any more: no two clocks are compared.
10. `close` may be called twice and ends within its time limit.

All times are seconds. Everything here belongs to one asyncio event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

from broker.calls import Call
from broker.endings import Endings
from broker.health import Health, Link
from broker.limits import Limits
from broker.topology import Binding, Queue
from dsmt_core.channels import ROOT, Channel
from dsmt_core.events import Event
from dsmt_core.hearing import Wants
from dsmt_core.history import Since
from dsmt_core.leases import DURATION_S
from dsmt_core.rights import ORDERS, PSEPR
from dsmt_core.wire import MSGPACK

LEASE_S: Final = DURATION_S
EVERYTHING: Final = Wants()
__all__ = [
    "EVERYTHING",
    "LEASE_S",
    "Bus",
    "Deliveries",
    "Delivery",
    "Health",
    "Leased",
    "Leases",
    "Limits",
    "Link",
]


# Not frozen, as one is made for each delivery: freezing it would cost as much as checking the event.
@dataclass(slots=True)
class Delivery:
    """One event as it was delivered; `ack` once it has been dealt with (a lease acknowledges itself).

    Attributes:
        lost: how many deliveries a slow subscriber lost right before this one.
        size: of its body, in bytes.
        offset: its place in the history; None when it comes from elsewhere.
        refuse: instead of `ack`: it goes to the dead letters, with this reason, and is counted.
    """

    event: Event
    exchange: str
    user_id: str
    redelivered: bool = False
    lost: int = 0
    size: int = 0
    ack: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    offset: int | None = None
    refuse: Callable[[str], None] = field(default=lambda _reason: None, repr=False, compare=False)


Deliveries = AbstractAsyncContextManager[AsyncIterator[Delivery]]


class Leased(Protocol):
    """A lease that is in place: an iterator over what it hears, until it is left or has ended."""

    def __aiter__(self) -> AsyncIterator[Delivery]: ...

    async def __anext__(self) -> Delivery: ...

    @property
    def granted_s(self) -> float:
        """The term, in seconds: so long without one renewal, and iterating raises `DeadlinePassed`."""
        ...


Leases = AbstractAsyncContextManager[Leased]


class Bus(Protocol):
    """A connection to PsEPR in the name of one user."""

    @property
    def user(self) -> str:
        """In whose name it speaks and hears: the broker vouches for it."""
        ...

    @property
    def health(self) -> Health:
        """How it is doing; one object, kept current."""
        ...

    def on_connected(self, call: Call) -> Callable[[], None]:
        """Have ``call`` awaited after each (re)connection, when consumers are in place.

        It runs as a task of the bus; an error in it is logged and ends nothing. Whoever calls what is
        returned has it awaited no more.
        """
        ...

    async def start(self, *, wait_s: float = 0.0) -> None:
        """Begin to connect, and go on for ever; with ``wait_s`` wait until it is connected.

        Raises:
            Unavailable: not connected within ``wait_s``; it goes on trying until `close`.
            Denied: the broker refused user or password (told at once, with ``wait_s``).
        """
        ...

    async def close(self) -> None:
        """Confirm or give up what is under way, then end; may be called twice."""
        ...

    async def publish(self, event: Event, *, exchange: str = PSEPR, content_type: str = MSGPACK) -> None:
        """Publish, persistently, and return when the broker has confirmed.

        Args:
            event: what is said.
            exchange: where.
            content_type: the codec, one of `dsmt_core.wire.CONTENT_TYPES`; every reader takes both.

        Raises:
            Unavailable: the broker is away, or went away or did not confirm in time (the outcome is
                then unknown, and publishing again is safe).
            Invalid, Full: the event is not legal or too large; nothing was sent.
            Denied: this user may not publish there.
        """
        ...

    async def publish_all(self, events: Iterable[Event], *, exchange: str = PSEPR) -> None:
        """Publish many, in their order, and return when the broker has confirmed the last.

        They are taken as the window (`Limits.unconfirmed`) has room for them, so ``events`` may be long.
        The first that fails ends it: what came before it is confirmed, what comes after it may be out.

        Args:
            events: what is said.
            exchange: where.

        Raises:
            Unavailable, Invalid, Full, Denied: as for `publish`.
        """
        ...

    async def post(self, event: Event, *, exchange: str = PSEPR) -> bool:
        """Publish, and with the broker away leave it in the outbox instead of waiting.

        Returns:
            True when confirmed, False when it waits in the outbox; it is then sent after the next
            connection, before anything posted later.

        Raises:
            Invalid, Full, Denied: as for `publish`.
        """
        ...

    def hint(self, event: Event, *, exchange: str) -> bool:
        """Send without persistence and without waiting; False when the broker is away (dropped)."""
        ...

    def lease(
        self,
        channel: Channel = ROOT,
        *,
        wants: Wants = EVERYTHING,
        state: str = "",
        exchanges: Sequence[str] = (PSEPR, ORDERS),
        duration_s: float = LEASE_S,
    ) -> Leases:
        """Hear every event at or below ``channel`` that is wanted.

        Entered when the bindings are in place: what is published afterwards is heard. It is renewed by
        itself: bound again, and a probe sent through its own queue must come back. Without one success
        in a whole term (also because the broker is away) it has ended, and iterating raises: it never
        goes quiet. Leaving deletes its queue; the queue of one that died expires after a term.

        Args:
            channel: what is heard, with everything below.
            wants: what of it; see `dsmt_core.hearing.Wants`.
            state: short for ``wants`` with this state.
            exchanges: where it is heard.
            duration_s: the term that is asked for; granted is at most ``Limits.lease_s``.

        Raises:
            Invalid: ``duration_s`` is not above 0.
            Unavailable, Denied: on entering; `Denied` also while iterating, once the right is withdrawn.
            DeadlinePassed: while iterating: the lease has ended.
        """
        ...

    def consume(self, queue: str, *, under: Channel = ROOT, prefetch: int = 300) -> Deliveries:
        """Read a queue of the topology as its only consumer; each delivery is to be acknowledged.

        A consumer that the broker cancels, or that a reconnect ends, is set up again; while the queue
        does not exist, it is tried again with back-off. A queue that stays silent twice in a row, for
        ``Limits.consume_s`` each, although the broker answers on the same connection, gives and takes
        nothing (RabbitMQ: a quorum queue without a leader). The iterator then ends with `DeadlinePassed`:
        whoever declared the queue may delete it and declare it again; others just consume again.

        Args:
            queue: its name.
            under: deliveries from channels outside are refused.
            prefetch: how many may be unacknowledged.
        """
        ...

    def replay(self, since: Since, *, channel: Channel = ROOT) -> Deliveries:
        """Read the history from ``since`` on, and go on as it grows; only the planner may.

        Each delivery has its ``offset``, and acknowledges itself. After a reconnect it goes on behind the
        last that was read, without gap or repeat. What fails the receiver's check is skipped: who heard
        it live has sent it to the dead letters. While there is no history, it is tried again with
        back-off; one that was deleted and made anew is read from its beginning, and a loss is told.

        What was published straight to the exchange `dsmt_core.rights.HISTORY` is delivered whatever the
        channel: it marks a place.

        Args:
            since: the beginning; a time is compared with ``Event.sent_at``.
            channel: only what lies at or below it.

        Raises:
            Unavailable, Denied: on entering: there is no history in time, or this user may not read it.
        """
        ...

    def endings(self) -> Endings:
        """Hear which connections end (`broker.endings`); entering raises `Denied` where nobody tells."""
        ...

    async def declare(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> bool:
        """Make the exchanges, then these queues and bindings; doing it again changes nothing.

        Returns:
            True when an exchange was missing: whatever else was bound to it no longer is.

        Raises:
            Unavailable, Denied: as for `publish`.
            Conflict: a queue of that name exists with other arguments.
        """
        ...

    async def delete_queue(self, queue: str) -> None:
        """Delete a queue with what is in it; one that does not exist is no error."""
        ...

    async def renew(self, queues: Sequence[Queue], bindings: Sequence[Binding]) -> None:
        """Delete these queues with what is in them, and make them and these bindings at once.

        Raises:
            Unavailable, Denied, Conflict: as for `declare`.
        """
        ...
