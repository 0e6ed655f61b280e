"""The SDK: a program that publishes, leases and views, in five lines each (docs/reference/psepr-sdk.md).

`application` connects with the credentials that DSMT laid into the sliver; `Application` works on any bus.
It speaks and hears on the exchange ``psepr`` only: orders and heartbeats are no affair of an application.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import broker
from broker import credentials
from broker.asking import ANSWER_S
from broker.bus import Bus, Leases, Limits
from broker.view import View
from dsmt_core.channels import Channel, channel
from dsmt_core.errors import DsmtError
from dsmt_core.events import ATTRIBUTE, ONCE, Event, Sender
from dsmt_core.hearing import Wants
from dsmt_core.leases import DURATION_S
from dsmt_core.rights import PSEPR
from dsmt_core.snapshots import FIELD as SNAPSHOT

# How soon another password in the file is noticed.
FOLLOW_S: Final = 5.0
_LOG: Final = logging.getLogger(__name__)


class Application:
    """Numbers, dates and publishes the events of one program, and hears others.

    Args:
        bus: started, and closed, by the caller.
        service: in whose name it speaks.
        instance: which copy it is; by default this host and a random word.
    """

    def __init__(self, bus: Bus, service: str, *, instance: str = "") -> None:
        life = uuid.uuid4().hex
        self.bus = bus
        self.service = service
        self.instance = instance or f"{socket.gethostname()}/{life[:8]}"
        self._sender = Sender(service, self.instance, life)

    async def publish(
        self,
        where: str,
        field: str,
        value: str = "",
        *,
        pairs: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Event:
        """Publish an attribute, as text or as pairs; returns the event once the broker has confirmed it.

        Args:
            where: the channel, such as ``/com/example/pinger/``.
            field: the attribute's name.
            value: its text.
            pairs: its name=value pairs.
            more: further fields of `dsmt_core.events.Event`: ``emit_rate``, ``expiry``, ``to_service`` …

        Raises:
            Invalid: the channel or another value is not legal; nothing was sent.
            Unavailable, Full, Denied: see `broker.bus.Bus.publish`.
        """
        event = self._event(where, field, {"value": value, "pairs": dict(pairs or {}), **more})
        await self.bus.publish(event)
        return event

    async def publish_all(
        self, where: str, field: str, many: Iterable[Mapping[str, str]], **more: Any
    ) -> None:
        """Publish an attribute many times over, in order; returns when the broker has confirmed the last.

        Several times as fast as one call for each; see `broker.bus.Bus.publish_all`.

        Args:
            where: the channel.
            field: the attribute's name.
            many: the name=value pairs of each event.
            more: as for `publish`.

        Raises:
            Invalid, Unavailable, Full, Denied: as for `publish`.
        """
        await self.bus.publish_all(
            self._event(where, field, {"pairs": dict(each), **more}) for each in many
        )

    async def post(
        self,
        where: str,
        field: str,
        value: str = "",
        *,
        pairs: Mapping[str, str] | None = None,
        **more: Any,
    ) -> bool:
        """Say what is said once: it outlasts whoever is away, also the broker; whether it was confirmed.

        With the broker away it waits (see `broker.bus.Bus.post`). Its two clocks are those of
        `dsmt_core.events.ONCE` unless ``more`` sets them. What is repeated is better published.

        Raises:
            Invalid, Full, Denied: as for `publish`.
        """
        event = self._event(where, field, {"value": value, "pairs": dict(pairs or {}), **ONCE, **more})
        return await self.bus.post(event)

    def lease(self, where: str, *, wants: Wants | None = None, duration_s: float = DURATION_S) -> Leases:
        """Hear the events at or below the channel ``where``; see `broker.bus.Bus.lease`.

        Args:
            where: the channel.
            wants: what of it; by default what is for everybody, or narrowed to this program.
            duration_s: the term that is asked for.

        Raises:
            Invalid: it is not a channel.
        """
        wanted = self._for_me("") if wants is None else wants
        return self.bus.lease(channel(where), wants=wanted, exchanges=(PSEPR,), duration_s=duration_s)

    def view(self, where: str) -> View:
        """The current values at or below the channel ``where``; see `broker.view.View`.

        Raises:
            Invalid: it is not a channel.
        """
        return View(lambda: self.bus, channel(where), wants=self._for_me(ATTRIBUTE), say=self._question)

    def _for_me(self, payload: str) -> Wants:
        return Wants(payload=payload, service=self.service, instance=self.instance)

    def _question(self, where: Channel, pairs: Mapping[str, str]) -> Event:
        return self._event(where, SNAPSHOT, {"pairs": pairs, "ttl": ANSWER_S, "expiry": 0.0})

    def _event(self, where: str, field: str, more: Mapping[str, Any]) -> Event:
        return self._sender.event(channel(where), field, now=time.time(), id_=uuid.uuid4().hex, **more)


@asynccontextmanager
async def application(
    file: Path | None = None,
    *,
    instance: str = "",
    wait_s: float = broker.WAIT_S,
    limits: Limits | None = None,
) -> AsyncIterator[Application]:
    """The application that this program is, connected; another password in the file is followed.

    Args:
        file: of its credentials; by default the one that ``DSMT_PSEPR`` names.
        instance: instead of that of the file, for one of several programs of an application.
        wait_s: how long to wait for the broker; 0 begins without it, and goes on trying.
        limits: the bounds of the bus.

    Raises:
        NotFound, Invalid: there are no credentials.
        Unavailable: applications have no way to the broker, or it does not answer within ``wait_s``.
        Denied: the broker refused the password.
    """
    path = file or credentials.named_in(os.environ)
    known = await asyncio.to_thread(credentials.read, path)
    connect = partial(
        broker.connect, limits=limits, name=f"{known.application or 'application'} {known.host}"
    )
    me = Application(
        connect(known.way), known.service or "application", instance=instance or known.instance
    )
    follower: asyncio.Task[None] | None = None
    try:
        await me.bus.start(wait_s=wait_s)
        follower = asyncio.create_task(_follow(me, path, known.way, connect))
        yield me
    finally:
        if follower is not None:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
        await me.bus.close()


async def _follow(me: Application, path: Path, url: str, connect: partial[Bus]) -> None:
    """Whenever the file names another way to the broker, go that way."""
    while True:
        await asyncio.sleep(FOLLOW_S)
        try:
            found = (await asyncio.to_thread(credentials.read, path)).way
            if found == url:
                continue
            bus = connect(found)
        except DsmtError as error:
            # It goes on with what it has: the file may be written anew at any moment.
            _LOG.warning("%s", error)
            continue
        # Whoever publishes from now on does so there; readers of the old bus end, and begin again.
        url, before, me.bus = found, me.bus, bus
        try:
            await bus.start()
        finally:
            await before.close()
