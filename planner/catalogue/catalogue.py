"""The catalogue, fed with every event that the planner hears: descriptions, counts, breaches.

A service that has not described itself breaks nothing. In DSMT's own name space only the parts' own
descriptions count, whoever says otherwise. One task owns it; everything in it is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.services import SERVICE_DESCRIPTION, Description, Direction, Use, covers, read_description
from planner.catalogue.breaches import Breach, BreachChange, Breaches, Kind, Pulses
from planner.catalogue.parts import is_own, own_use
from planner.catalogue.rows import Rows
from planner.silences import Thing, about_of

SERVICES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Described:
    """A description, by which user and instance it was given, and when."""

    description: Description
    user: str
    instance: str
    at: float


class Catalogue:
    """What is known of the services."""

    def __init__(self) -> None:
        self._described: OrderedDict[str, Described] = OrderedDict()
        self._breaches = Breaches()
        self._pulses = Pulses()
        self.rows = Rows()

    @property
    def described(self) -> Mapping[str, Described]:
        """Who described itself, by the service's name; the parts of DSMT stand in `PARTS`."""
        return MappingProxyType(self._described)

    def breaches(self) -> list[Breach]:
        """The present breaches, oldest first."""
        return self._breaches.all()

    def heard(self, event: Event, *, user: str, now: float) -> list[BreachChange]:
        """Take an event in.

        Args:
            event: as delivered.
            user: for whom the broker vouches.
            now: seconds.

        Returns:
            What is to be said about breaches.
        """
        self.rows.heard(event, now)
        if event.field == SERVICE_DESCRIPTION:
            return self._describe(event, user, now)
        use = self.use_of(event)
        if use is None:
            return self._undescribed(event, now)
        if not (use.least_s or use.greatest_s) or not event.sent_at:
            return []
        odd = self._pulses.odd(event, use, about_of(event))
        if odd is None:
            return []
        kind, reason = odd
        return self._breaches.raised((event.service, kind, use.channel, event.field), event, reason, now)

    def late(self, thing: Thing, event: Event, now: float) -> list[BreachChange]:
        """Something is silent for longer than its service described; ``event`` was its last."""
        use = self.use_of(event)
        if use is None or not use.greatest_s:
            return []
        reason = f"{thing.instance} has said nothing for longer than {use.greatest_s:g} s"
        where = event.service, Kind.TOO_SELDOM, use.channel, event.field
        return self._breaches.raised(where, event, reason, now)

    def tick(self, now: float) -> list[BreachChange]:
        """What is to be said because time has passed."""
        return self._breaches.tick(now)

    def use_of(self, event: Event) -> Use | None:
        """The use that covers an event; None when nobody described it."""
        if is_own(event.channel):
            return own_use(event)
        known = self._described.get(event.service)
        if known is None:
            return None
        return next((use for use in known.description.uses if use.covers(event)), None)

    def _describe(self, event: Event, user: str, now: float) -> list[BreachChange]:
        try:
            description = read_description(event.service, event.pairs)
        except Invalid as error:
            where = event.service, Kind.ILLEGAL, event.channel, event.field
            return self._breaches.raised(where, event, error.message, now)
        before = self._described.get(event.service)
        self._described[event.service] = Described(description, user, event.instance, now)
        self._described.move_to_end(event.service)
        if len(self._described) > SERVICES:
            self._described.popitem(last=False)
        if before is not None and before.description == description:
            return []
        return self._breaches.described_anew(event.service)

    def _undescribed(self, event: Event, now: float) -> list[BreachChange]:
        if is_own(event.channel):
            reason = "no part of DSMT says this there"
        else:
            known = self._described.get(event.service)
            if known is None:
                return []
            reason = _what_is_not_described(event, known.description)
        where = event.service, Kind.UNDESCRIBED, event.channel, event.field
        return self._breaches.raised(where, event, reason, now)


def _what_is_not_described(event: Event, description: Description) -> str:
    there = [
        use
        for use in description.uses
        if use.direction is Direction.GENERATES and covers(use.channel, event.channel)
    ]
    if not there:
        return "it did not describe this channel"
    if all(use.field not in {"", event.field} for use in there):
        return f"it did not describe the field {event.field[:60]!r} there"
    return f"it did not describe the payload {event.payload[:80]} there"
