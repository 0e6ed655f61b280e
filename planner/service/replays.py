"""Replays for those who ask over HTTP: the history, and then what comes, each event once.

What is kept comes from the history, also while it is followed: it has an offset there from which to go on
later, waits for a slow listener, and survives a broker that is killed. The tap adds what is never kept.
The two are told apart by one function of the event (`dsmt_core.history.kept`): no gap, no double.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final
from weakref import WeakSet

from broker.bus import Delivery
from dsmt_core.errors import Full
from dsmt_core.history import Since
from planner.once import Once
from planner.service.history import History, Reading
from planner.service.tap import Filter, Heard, Tap

REPLAYS: Final = 16
_AHEAD: Final = 100


class Replays:
    """Serves them; at most `REPLAYS` at once.

    Args:
        history: where the past comes from.
        tap: where what is not kept comes from.
    """

    def __init__(self, history: History, tap: Tap) -> None:
        self._history = history
        self._tap = tap
        # Weak: an answer that nobody began to read must hold no place. One that has ended gives it back:
        # it may be kept for long by the traceback of what ended it.
        self._running: WeakSet[_Replay] = WeakSet()

    async def begin(self, wanted: Filter, since: Since, *, follow: bool) -> AsyncGenerator[Heard]:
        """A replay whose history is open.

        Args:
            wanted: what of it.
            since: from where.
            follow: go on with what comes; else it ends at the present.

        Raises:
            Full: there are too many already.
            Unavailable, Denied: of the broker.
        """
        if len(self._running) >= REPLAYS:
            raise Full(f"{REPLAYS} replays are under way already", hint="try again when one has ended")
        replay = _Replay(self._history, self._tap, wanted)
        self._running.add(replay)
        heard = self._heard(replay, since, follow=follow)
        await anext(heard)
        return _only_events(heard)

    async def _heard(self, replay: _Replay, since: Since, *, follow: bool) -> AsyncGenerator[Heard | None]:
        try:
            async with aclosing(replay.heard(since, follow=follow)) as heard:
                async for one in heard:
                    yield one
        finally:
            self._running.discard(replay)


class _Replay:
    """One of them."""

    def __init__(self, history: History, tap: Tap, wanted: Filter) -> None:
        self._history = history
        self._tap = tap
        self._wanted = wanted
        self._once = Once()

    async def heard(self, since: Since, *, follow: bool) -> AsyncGenerator[Heard | None]:
        """None once the history is open, then what is heard."""
        async with self._history.opened(since, self._wanted.channel) as reading:
            yield None
            async with aclosing(self._news(reading.past())) as past:
                async for heard in past:
                    yield heard
            if follow:
                async with aclosing(self._onwards(reading)) as onwards:
                    async for heard in onwards:
                        yield heard

    async def _onwards(self, reading: Reading) -> AsyncGenerator[Heard]:
        """What comes: from the history, and what that does not keep; it ends when one of the two does."""
        follower = self._tap.follow(replace(self._wanted, unkept=True))
        lines: asyncio.Queue[Heard | Exception | None] = asyncio.Queue(_AHEAD)
        pumps = [
            asyncio.create_task(_pump(heard, lines))
            for heard in (self._news(reading.onwards()), follower.events())
        ]
        try:
            while (line := await lines.get()) is not None:
                if isinstance(line, Exception):
                    raise line
                yield line
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._tap.leave(follower)

    async def _news(self, deliveries: AsyncIterator[Delivery]) -> AsyncGenerator[Heard]:
        async for delivery in deliveries:
            if self._wanted.passes(delivery.event) and self._once.is_new(delivery.event):
                yield Heard(delivery.event, delivery.lost, delivery.offset)


async def _pump(heard: AsyncIterator[Heard], lines: asyncio.Queue[Heard | Exception | None]) -> None:
    """Pass on what is heard, then how it ended."""
    try:
        async for each in heard:
            await lines.put(each)
    except Exception as error:  # noqa: BLE001 - whoever reads raises it
        await lines.put(error)
    else:
        await lines.put(None)


async def _only_events(heard: AsyncGenerator[Heard | None]) -> AsyncGenerator[Heard]:
    async with aclosing(heard):
        async for each in heard:
            if each is not None:
                yield each
