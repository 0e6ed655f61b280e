"""Observing: what the planner hears is told to the catalogue and the silences, and what they find is said.

Hearing an event never waits and never raises; what is to be said is kept, one word a thing, until the
broker has confirmed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from broker.bus import Delivery, Link
from dsmt_core.channels import Channel, component_channel
from dsmt_core.errors import DsmtError
from dsmt_core.events import Event, legal_text
from dsmt_core.lifecycle import State
from dsmt_core.names import PLANNER, SLIVER_MGR, Host, Slice, manager_of
from planner.catalogue import BreachChange, Catalogue, parts
from planner.fleet import Fleet
from planner.place import NOWHERE, Place, place_of
from planner.service.means import Means, Watched
from planner.service.voice import Voice
from planner.silences import Silence, Silences, Thing
from planner.silences import Watched as WatchedThing
from planner.standing import maintained
from planner.wanted import Wanted

_TICK_S: Final = 1.0
# How many words are under way at once, and for how long one tick may talk.
_AT_ONCE: Final = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Word:
    """Something to say: about a slice, or about none."""

    slice: Slice
    channel: Channel
    field: str
    pairs: dict[str, str]


class Observing:
    """Hears everything once (a listener of `planner.service.seeing`), judges once a second."""

    def __init__(self, means: Means, watched: Watched, voice: Voice) -> None:
        self._bus = means.bus
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet: Fleet = watched.fleet
        self._voice = voice
        self._wanted: Wanted | None = None
        self._managed: frozenset[Slice] = frozenset()
        self._hosts: frozenset[Host] = frozenset()
        self._to_say: dict[object, Word] = {}
        self.catalogue = Catalogue()
        self.silences = Silences(now=means.clock())

    def begins(self) -> None:
        """The lease is in place (again): what was said before was not heard."""
        self.deafened()

    def heard(self, delivery: Delivery) -> None:
        """Take an event in."""
        try:
            self._hear(delivery)
        except Exception:  # noqa: BLE001 - see below
            # A mistake of ours about one event must not end the hearing of all others.
            _log.exception("an event could not be catalogued", channel=delivery.event.channel)

    def deafened(self) -> None:
        """Something kept the planner from hearing; silence counts from now."""
        self.silences.deafened(self._clock())

    def silent(self, slice_: Slice) -> list[WatchedThing]:
        """What of a slice is silent now."""
        return [one for one in self.silences.silent() if one.place.slice == slice_]

    async def run(self) -> None:
        """Judge and say, for ever."""
        while True:
            await asyncio.sleep(_TICK_S)
            self.tick()
            await self._say()

    def tick(self) -> None:
        """Judge now."""
        now = self._clock()
        if self._bus.health.link is not Link.CONNECTED:
            self.silences.deafened(now)
        self._forget_what_went()
        maintained_now = maintained(self._ledger.wanted.standings, now)
        changes = self.silences.tick(now, has_ended=self._has_ended, maintained=maintained_now)
        for change in changes:
            self._note_silence(change)
        for breach in self.catalogue.tick(now):
            self._note_breach(breach)
        for change in changes:
            if change.raised:
                self._note_late(change.watched, now)

    def _hear(self, delivery: Delivery) -> None:
        event, now = delivery.event, self._clock()
        if delivery.lost:
            self.silences.deafened(now)
        for breach in self.catalogue.heard(event, user=delivery.user_id, now=now):
            self._note_breach(breach)
        place = self._place_of(event)
        if event.state and event.state != State.RUNNING:
            # What repeats is said only of what runs.
            self.silences.ended(event)
            if event.state == State.TERMINATED and f"/{SLIVER_MGR}/" in event.channel:
                self.silences.forget(slice_=place.slice, host=place.host)
        use = self.catalogue.use_of(event)
        self.silences.heard(event, now=now, greatest_s=use.greatest_s if use else 0.0, place=place)

    def _place_of(self, event: Event) -> Place:
        """Where it belongs; the instance of a stranger may look like that of a sliver."""
        place = place_of(event)
        if parts.is_own(event.channel):
            return place
        known = place.slice in self._ledger.wanted.slices and place.host in self._fleet.hosts
        return place if known else NOWHERE

    def _has_ended(self, watched: WatchedThing) -> bool:
        slice_, host = watched.place
        if slice_:
            wanted = self._ledger.wanted.slices.get(slice_)
            if wanted is None or not wanted.managed:
                return True
        if host and host not in self._fleet.hosts:
            return True
        return bool(slice_ and host) and self._fleet.held(slice_, host) is None

    def _forget_what_went(self) -> None:
        wanted = self._ledger.wanted
        if wanted is not self._wanted:
            managed = frozenset(name for name, one in wanted.slices.items() if one.managed)
            for slice_ in self._managed - managed:
                self.silences.forget(slice_=slice_)
            self._wanted, self._managed = wanted, managed
        hosts = self._fleet.hosts.keys()
        for host in self._hosts - hosts:
            self.silences.forget(host=host)
        if hosts != self._hosts:
            self._hosts = frozenset(hosts)

    # What is said ---------------------------------------------------------------------------------

    def _note_silence(self, change: Silence) -> None:
        watched = change.watched
        _log.info("silence", raised=change.raised, channel=watched.thing.channel, reason=change.reason)
        word = _word(parts.SILENCE, parts.SILENT, watched.place.slice, silence_pairs(change))
        self._keep(watched.thing, word, raised=change.raised)

    def _note_late(self, watched: WatchedThing, now: float) -> None:
        for breach in self.catalogue.late(watched.thing, watched.last, now):
            self._note_breach(breach)

    def _note_breach(self, change: BreachChange) -> None:
        breach = change.breach
        _log.info("description broken", raised=change.raised, service=breach.service, reason=breach.reason)
        pairs = {
            "service": breach.service,
            "kind": str(breach.kind),
            "channel": breach.channel,
            "field": breach.field,
            "instance": breach.instance,
            "reason": breach.reason,
            "status": "raised" if change.raised else "cleared",
        }
        slice_ = place_of_channel(breach.channel)
        word = _word(parts.DESCRIPTIONS, parts.DESCRIPTION_BROKEN, slice_, pairs)
        self._keep((breach.service, breach.kind, breach.channel, breach.field), word, raised=change.raised)

    def _keep(self, about: Thing | object, word: Word, *, raised: bool) -> None:
        before = self._to_say.pop(about, None)
        if before is not None and not raised and before.pairs["status"] == "raised":
            # Nobody has heard of it; there is nothing to take back.
            return
        self._to_say[about] = word

    async def _say(self) -> None:
        """Say what is kept; what the broker does not take is kept on."""
        while self._to_say and self._bus.health.link is Link.CONNECTED:
            some = list(self._to_say.items())[:_AT_ONCE]
            for about, _ in some:
                del self._to_say[about]
            said = await asyncio.gather(*(self._say_one(word) for _, word in some))
            unsaid = {about: word for (about, word), done in zip(some, said, strict=True) if not done}
            self._to_say = {**unsaid, **self._to_say}
            if unsaid:
                return

    async def _say_one(self, word: Word) -> bool:
        service = manager_of(word.slice) if word.slice else PLANNER
        try:
            await self._voice.say(word.channel, word.field, word.pairs, service=service)
        except DsmtError as error:
            _log.warning("it could not be said", field=word.field, reason=str(error))
            return False
        return True


def silence_pairs(change: Silence) -> dict[str, str]:
    """What is said about a silence."""
    watched = change.watched
    return {
        "channel": watched.thing.channel,
        "instance": watched.thing.instance,
        "service": watched.last.service,
        "field": watched.thing.field,
        "about": watched.thing.about,
        "slice": watched.place.slice,
        "hostname": watched.place.host,
        "since": f"{watched.heard:.3f}",
        "period": f"{watched.period:g}",
        "status": "raised" if change.raised else "cleared",
        "reason": change.reason,
    }


def place_of_channel(channel: Channel) -> Slice:
    """The slice whose channel it is; empty for none, or for a pattern."""
    words = channel[1:-1].split("/")
    own = channel.startswith("/org/dsmt/ns/deployment/") and len(words) > 4 and "*" not in words[4]
    return Slice(words[4] if own else "")


def _word(elsewhere: Channel, field: str, slice_: Slice, pairs: Iterable[tuple[str, str]] | Any) -> Word:
    """About a slice it is said on the slice's own channel, so that only who may look into it hears it."""
    channel = Channel(f"{component_channel(slice_, PLANNER)}status/") if slice_ else elsewhere
    return Word(slice_, channel, field, {name: legal_text(text) for name, text in dict(pairs).items()})
