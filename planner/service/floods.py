"""Floods: who says too much is told of, and cut off by the broker for a while; others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from broker.bus import Delivery
from dsmt_core.channels import Channel, component_channel
from dsmt_core.errors import DsmtError
from dsmt_core.names import PLANNER, Slice
from planner import floods
from planner.catalogue.parts import QUOTA
from planner.floods import News, Spoken, bounds_of, foreign_agents
from planner.service.means import Means
from planner.service.roster import Roster
from planner.service.voice import Voice
from planner.steps import Waiting
from planner.store import settings
from planner.wanted import Wanted

_TICK_S: Final = 1.0
_KEPT: Final = "silenced"
_log = structlog.get_logger(__name__)
Bounds = tuple[Spoken, ...]


class Floods:
    """Hears everything once (a listener of `planner.service.seeing`), judges once a second.

    Without a user of the broker for each party nobody knows who speaks, and nothing is counted.
    """

    def __init__(self, means: Means, roster: Roster, voice: Voice) -> None:
        self._means = means
        self._roster = roster
        self._voice = voice
        self._floods = floods.Floods()
        self._for: tuple[Wanted | None, Bounds, frozenset[Slice]] = (None, (), frozenset())
        self._silenced: frozenset[str] = frozenset()
        self._heard: Callable[[str], None] = self._floods.heard

    async def load(self) -> None:
        """Whom a planner of before has cut off stays so; before the users of the broker are made."""
        text = await self._means.database.read(settings.get, _KEPT)
        self._floods = floods.Floods(floods.read(text))
        self._heard = self._floods.heard
        self._silenced = self._floods.silenced(self._means.clock())
        self._roster.silenced = lambda: self._silenced

    def begins(self) -> None:
        """What was said before was not heard: nothing to do."""

    def heard(self, delivery: Delivery) -> None:
        """Count an event."""
        if self._for[1]:
            self._heard(delivery.user_id)

    def waiting(self, slice_: Slice) -> list[Waiting]:
        """What is to be told of a slice now."""
        told = self._floods.standing(slice_, self._means.clock())
        return [Waiting(slice=slice_, reason=reason) for reason in told]

    def said(self, slices: Iterable[Slice]) -> dict[str, int]:
        """How many events a second some slices said last; nothing where that is not counted."""
        if not (self._roster.keeps and self._for[1]):
            return {}
        return {"events_per_second": round(sum(self._floods.rates.get(one, 0.0) for one in slices))}

    async def run(self) -> None:
        """Judge and tell, for ever."""
        while True:
            await asyncio.sleep(_TICK_S)
            if self._roster.keeps:
                await self._tick()

    async def _tick(self) -> None:
        wanted, now = self._means.ledger.wanted, self._means.clock()
        if self._for[0] is not wanted:
            self._for = wanted, bounds_of(wanted), foreign_agents(wanted)
        before, news = self._floods.cuts, self._floods.tick(now, self._for[1], foreign=self._for[2])
        silenced = self._floods.silenced(now)
        if silenced != self._silenced:
            self._silenced = silenced
            self._roster.wake()
        try:
            if self._floods.cuts != before or any(one.users for one in news):
                text = floods.written(self._floods.cuts)
                await self._means.database.write(settings.put, _KEPT, text)
            for one in news:
                await self._tell(one)
        except DsmtError as error:
            _log.warning("a flood could not be told of", reason=str(error))

    async def _tell(self, news: News) -> None:
        _log.warning("a quota of events", what=news.what, reason=news.sentence)
        slices = sorted(news.bound.slices)
        change = {"said": round(news.said, 1), "quota": news.bound.rate, "cut_off": list(news.users[:20])}
        about = (
            f"slice/{slices[0]}"
            if len(slices) == 1
            else news.bound.whose.removeprefix("the ").replace(" ", "/")
        )
        slice_ = slices[0] if len(slices) == 1 else ""
        await self._roster.audit.note(f"events.{news.what}", about, change, slice_=slice_)
        for name in slices:
            pairs = {"what": news.what, "reason": news.sentence}
            await self._voice.tell(name, _channel(name), QUOTA, pairs)


def _channel(slice_: Slice) -> Channel:
    return Channel(f"{component_channel(slice_, PLANNER)}status/")
