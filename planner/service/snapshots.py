"""Snapshots over the bus: whoever may lease a channel is told what holds there already.

One question is answered at a time, and then nothing for as long as that took: whoever asks again and again
makes others wait for their snapshots, and the planner for nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import structlog

from broker.bus import Bus, Delivery
from dsmt_core.errors import DsmtError
from dsmt_core.events import Event, Sender
from dsmt_core.last_values import NUMBER, LastValues
from dsmt_core.names import PLANNER
from dsmt_core.rights import ASKED, SNAPSHOTS
from dsmt_core.snapshots import FIELD, Asked, parts, read_question, wanted
from planner.service.clock import SteadyClock
from planner.service.voice import INSTANCE

# How many questions wait, each of another life of an instance; the oldest makes room.
WAITING: Final = 200
# Who has waited longer has given up.
TTL_S: Final = 30.0
_log = structlog.get_logger(__name__)


class Snapshots:
    """Answers who asks; hears as a listener of `planner.service.seeing`.

    Args:
        bus: of the planner.
        values: what holds.
        clock: that of ``values``.
    """

    def __init__(self, bus: Bus, values: LastValues, clock: SteadyClock) -> None:
        self._bus = bus
        self._values = values
        self._clock = clock
        self._sender = Sender(PLANNER, INSTANCE, secrets.token_hex(8))
        self._asked: OrderedDict[tuple[str, str, str], tuple[Asked, str]] = OrderedDict()
        self._news = asyncio.Event()

    def begins(self) -> None:
        """What was asked before is asked again by whoever still wants to know."""

    def heard(self, delivery: Delivery) -> None:
        """Keep a question; one that its sender has asked anew counts once."""
        event, user = delivery.event, delivery.user_id
        if event.channel != ASKED:
            return
        try:
            asked = read_question(event, user)
        except DsmtError as error:
            _log.info("a question is not answered", user=user, instance=event.instance, reason=str(error))
            return
        self._asked[user, event.instance, asked.about] = asked, user
        if len(self._asked) > WAITING:
            self._asked.popitem(last=False)
        self._news.set()

    async def run(self) -> None:
        """Answer, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            while self._asked:
                began = loop.time()
                await self._answer(*self._asked.popitem(last=False)[1])
                await asyncio.sleep(loop.time() - began)

    async def _answer(self, asked: Asked, user: str) -> None:
        try:
            # One after the other: the planner has other work, and a slow broker is not pressed.
            for event in self._events(asked, user):
                await self._bus.publish(event, exchange=SNAPSHOTS)
        except DsmtError as error:
            _log.info("a snapshot was not sent", user=user, about=asked.about, reason=str(error))

    def _events(self, asked: Asked, user: str) -> Iterator[Event]:
        now = self._clock()
        values = self._values.holding(now, lambda event: wanted(event, asked, user))
        for part in parts(values[-NUMBER:], now):
            yield self._sender.event(
                asked.answer,
                FIELD,
                now=self._clock(),
                id_=secrets.token_hex(16),
                value=part.text,
                pairs=part.pairs,
                ttl=TTL_S,
                expiry=0.0,
            )
