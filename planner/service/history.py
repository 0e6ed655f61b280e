"""The history as the planner keeps and reads it: a stream of all that is said once.

*The present* is found exactly: the planner alone may publish straight into the history, so it marks a place
there, with a confirm, and reads until its mark comes back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import structlog

from broker.bus import Bus, Delivery, Link
from broker.topology import history_topology
from dsmt_core.channels import ROOT, Channel
from dsmt_core.errors import Conflict, DeadlinePassed, DsmtError, Invalid, Unavailable
from dsmt_core.events import Sender
from dsmt_core.history import Since
from dsmt_core.last_values import LastValues
from dsmt_core.rights import HISTORY
from planner.config import PlannerConfig
from planner.service.clock import SteadyClock

MARKS: Final = Channel("/org/dsmt/ns/planner/present/")
# So long the history may be silent before the mark comes back: a broker that was killed needs half of it.
SILENT_S: Final = 60.0
# The last hour is there at once; then the last day, then all. Newer values win, whenever they are told.
_SPANS_S: Final = (3_600.0, 86_400.0)
_PORTION: Final = 200
# After each portion the planner's other work goes on: at most some 5,000 events a second.
_PAUSE_S: Final = 0.02
_MOST: Final = 500_000
_AGAIN_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Reading:
    """An open history: first `past`, to the present, then `onwards`.

    Args:
        deliveries: from the bus.
        mark: the id of the event that marks the present.

    Attributes:
        present: the offset of the mark, once the past is read.
    """

    def __init__(self, deliveries: AsyncIterator[Delivery], mark: str) -> None:
        self._deliveries = deliveries
        self._mark = mark
        self.present = 0

    async def past(self) -> AsyncGenerator[Delivery]:
        """What was kept before the mark.

        Raises:
            DeadlinePassed: the history was silent for `SILENT_S`.
        """
        while True:
            try:
                async with asyncio.timeout(SILENT_S):
                    delivery = await anext(self._deliveries, None)
            except TimeoutError:
                raise DeadlinePassed("the history does not answer", hint="is the broker well?") from None
            if delivery is None:
                return
            if delivery.event.id == self._mark:
                self.present = delivery.offset or 0
                return
            if delivery.exchange != HISTORY:
                yield delivery

    async def onwards(self) -> AsyncIterator[Delivery]:
        """What is kept from then on, until the bus ends."""
        async for delivery in self._deliveries:
            if delivery.exchange != HISTORY:
                yield delivery


class History:
    """Declares and reads it.

    Args:
        bus: the planner's.
        clock: tells the time.
        config: how much is kept.
    """

    def __init__(self, bus: Bus, clock: SteadyClock, config: PlannerConfig) -> None:
        self._bus = bus
        self._clock = clock
        self._config = config
        self._sender = Sender("planner", f"planner/history/{secrets.token_hex(4)}", secrets.token_hex(8))
        self._warned = False

    async def declare(self) -> None:
        """Make the stream; one that is there with other bounds keeps them, and a warning says so.

        One that the broker cannot bring back is said once, too: the planner works without its history, and
        asks for it again with every look at its queues.

        Raises:
            Unavailable: there is no connection.
            Denied: as for `broker.bus.Bus.declare`.
        """
        topology = history_topology(self._config.history_age, self._config.history_bytes)
        try:
            await self._bus.declare(*topology)
        except Conflict as error:
            self._warn(
                "the history keeps the bounds that it was made with",
                reason=error.message,
                to_change=f"delete the queue {HISTORY} (what it holds is lost); it is made again",
            )
        except Unavailable as error:
            if self._bus.health.link is not Link.CONNECTED:
                raise
            self._warn(
                "events are not kept: the broker has no history now",
                reason=error.message,
                to_change="start the broker's hosts; if it stays so, docs/how-to/run-it-for-real.md, 6",
            )
        else:
            self._warned = False

    def _warn(self, what: str, **more: str) -> None:
        """Once, until the history is well."""
        if not self._warned:
            self._warned = True
            _log.warning(what, **more)

    @asynccontextmanager
    async def opened(self, since: Since, channel: Channel) -> AsyncIterator[Reading]:
        """The history from ``since`` on, with the present marked in it.

        Raises:
            Invalid: the history has not come as far as the offset: reading it would wait without a word.
            Unavailable, Denied: of the broker.
        """
        if since.offset is not None:
            await self._check(since.offset)
        async with self._marked(since, channel) as reading:
            yield reading

    async def _check(self, offset: int) -> None:
        async with (
            self._marked(Since(time=self._clock()), ROOT) as reading,
            aclosing(reading.past()) as past,
        ):
            async for _ in past:
                pass
            if offset > reading.present:
                raise Invalid(
                    f"the history ends at the offset {reading.present}, before {offset}",
                    hint="is it an offset of another history? since first has all that is kept",
                )

    @asynccontextmanager
    async def _marked(self, since: Since, channel: Channel) -> AsyncIterator[Reading]:
        async with self._bus.replay(since, channel=channel) as deliveries:
            mark = self._sender.event(MARKS, "present", now=self._clock(), id_=secrets.token_hex(16))
            await self._bus.publish(mark, exchange=HISTORY)
            yield Reading(deliveries, mark.id)

    async def remember(self, values: LastValues) -> None:
        """Fill ``values`` with what still holds, then wait for ever: a task of the planner."""
        while True:
            try:
                await self._remember(values)
            except DsmtError as error:
                _log.warning("the last values are not read from the history yet", reason=str(error))
                await asyncio.sleep(_AGAIN_S)
            else:
                await asyncio.Event().wait()

    async def _remember(self, values: LastValues) -> None:
        left = _MOST
        for span in (*_SPANS_S, self._config.history_age):
            since = Since(time=self._clock() - span)
            async with self.opened(since, ROOT) as reading, aclosing(reading.past()) as past:
                async for delivery in past:
                    if not left:
                        return
                    left -= 1
                    event = delivery.event
                    values.hear(event, min(event.sent_at, self._clock()))
                    if not left % _PORTION:
                        await asyncio.sleep(_PAUSE_S)
