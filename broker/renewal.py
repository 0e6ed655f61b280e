"""Renewing a lease: bind again, and have a probe come back through its own queue; for every adapter.

A probe is an event on `dsmt_core.rights.LEASES` whose routing key is the lease's queue, so that nobody else
hears it. Binding again mends what an exchange that was deleted and made again has lost, and the probe shows
that the queue still delivers. When neither can be had for a whole term, the lease has ended.

Whoever makes an exchange that was missing tells all leases at once (`summons`), because looking often would
cost a broker with ten thousand leases more than all their events.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from broker.bus import Health, Limits, Link
from broker.reading import Message, Refused, read
from broker.sending import checked
from broker.term import Term
from broker.topology import LEASE_PREFIX
from dsmt_core.channels import channel_of, routing_key
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid, Unavailable
from dsmt_core.events import Event, Sender
from dsmt_core.hearing import Wants
from dsmt_core.leases import LEASE, lease_of
from dsmt_core.rights import BIND_AGAIN, LEASES
from dsmt_core.wire import MSGPACK

Send = Callable[[str, bytes], None]
# Leases that were made together are not looked after together.
_EARLIEST: Final = 0.5
# What all leases hear at once they do not follow at once.
_SPREAD_S: Final = 3.0
BIND_AGAIN_KEY: Final = routing_key(BIND_AGAIN)


def asked(user: str, asked_s: float, wants: Wants, limits: Limits) -> Term:
    """The term of a new lease, whose queue has a name that nobody else has.

    Raises:
        Invalid: ``asked_s`` is not above 0.
    """
    queue = f"{LEASE_PREFIX}{user}.{secrets.token_hex(8)}"
    return Term(queue, asked_s, most_s=limits.lease_s, renew_s=limits.renew_s, payload=wants.payload)


@dataclass(frozen=True, slots=True)
class Told:
    """What a renewal tells its lease.

    Attributes:
        over: the term is over, with the error.
        missed: it may have missed something.
    """

    over: Callable[[DsmtError], None]
    missed: Callable[[], None]


def summons() -> Event:
    """What tells all leases to bind again, to be published on `LEASES`."""
    id_ = secrets.token_hex(16)
    return Sender(LEASE, id_, id_).event(BIND_AGAIN, "", now=time.time(), id_=id_, payload=LEASE)


class Renewal:
    """Looks after one lease.

    Args:
        term: of the lease.
        user: in whose name it listens.
        limits: how long a probe may take.
        health: where what failed is told.
        told: called with what the lease must know.
    """

    def __init__(self, term: Term, user: str, *, limits: Limits, health: Health, told: Told) -> None:
        self.term = term
        self._user = user
        self._limits = limits
        self._health = health
        self._told = told
        self._channel = channel_of(term.grant.identifier)
        self._sender = Sender(LEASE, term.grant.identifier, secrets.token_hex(8))
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] | None = None
        self._asked = ""
        self._heard = 0
        self._timer: asyncio.TimerHandle | None = None
        self._probed = False
        self._summoned = asyncio.Event()

    def begin(self) -> None:
        """The lease is in place, and granted."""
        self.term.renew(self._loop.time())
        self._watch()

    def end(self) -> None:
        """It is left, or over; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self) -> None:
        """Something has come through the lease's queue."""
        self._heard += 1

    def arrived(self, message: Message) -> None:
        """A probe has come, or a summons; one that is not believed, or is an old one, proves nothing."""
        is_summons = message.routing_key == BIND_AGAIN_KEY
        event = read(message, BIND_AGAIN if is_summons else self._channel)
        if isinstance(event, Refused):
            self._health.refused += 1
            return
        if is_summons:
            self._told.missed()
            self._summoned.set()
            return
        try:
            identifier = lease_of(event).identifier
        except Invalid:
            self._health.refused += 1
            return
        if identifier == self._asked and self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    async def look_after(
        self, ended: asyncio.Future[Any], rebind: Callable[[], Awaitable[None]], send: Send
    ) -> None:
        """Renew, again and again, until ``ended`` is done.

        Args:
            ended: done when what reads the queue has ended.
            rebind: binds again; raises when it cannot.
            send: sends a probe on `LEASES`, with this key and body.

        Raises:
            DsmtError: a renewal failed: the lease is to be set up anew.
        """
        # The first look at a new lease may wait; one that was set up anew has to show that it hears.
        pause_s = self.term.pause_s * random.uniform(_EARLIEST, 1.0) if not self._probed else 0.0  # noqa: S311
        while True:
            if await self._pause(ended, pause_s):
                return
            if self._health.link is not Link.BLOCKED:
                await self._renew(ended, rebind, send)
            pause_s = self.term.pause_s

    async def _pause(self, ended: asyncio.Future[Any], pause_s: float) -> bool:
        """Wait until it is time to look, or all leases are told to; True when ``ended`` is done."""
        summoned = asyncio.ensure_future(self._summoned.wait())
        try:
            await asyncio.wait({ended, summoned}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            summoned.cancel()
        if self._summoned.is_set():
            self._summoned.clear()
            await asyncio.wait({ended}, timeout=random.uniform(0.0, _SPREAD_S))  # noqa: S311
        return ended.done()

    async def _renew(
        self, ended: asyncio.Future[Any], rebind: Callable[[], Awaitable[None]], send: Send
    ) -> None:
        asked_at = self._loop.time()
        self._probed = True
        await rebind()
        answer = self._answer = self._loop.create_future()
        send(*self._probe())
        if await self._proven(answer, ended):
            self.term.renew(asked_at)

    def _probe(self) -> tuple[str, bytes]:
        self._asked = secrets.token_hex(8)
        event = self._sender.event(
            self._channel,
            "",
            now=time.time(),
            id_=self._asked,
            payload=LEASE,
            pairs=replace(self.term.grant, identifier=self._asked).pairs,
        )
        return checked(event, LEASES, user=self._user, content_type=MSGPACK)

    async def _proven(self, answer: asyncio.Future[None], ended: asyncio.Future[Any]) -> bool:
        """Whether the probe has come back; False when the reader ended, or the broker blocks, instead.

        Raises:
            Unavailable: neither the probe nor anything else came for ``Limits.probe_s``.
        """
        while not answer.done():
            before = self._heard
            await asyncio.wait(
                {answer, ended}, timeout=self._limits.probe_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done() or self._health.link is Link.BLOCKED:
                return False
            if not answer.done() and self._heard == before:
                raise Unavailable(f"the lease {self.term.grant.identifier} does not hear itself")
        return True

    def _watch(self) -> None:
        left_s = self.term.left_s(self._loop.time())
        if left_s:
            self._timer = self._loop.call_later(left_s, self._watch)
            return
        self._timer = None
        self._told.over(
            DeadlinePassed(
                f"the lease has ended: nothing has shown for {self.term.granted_s:g} s that it still hears",
                hint=f"lease again; the broker's last error was: {self._health.last_error or 'none'}",
            )
        )
