"""Following the history: a stream that breaks off is taken up again behind the last event that was shown.

Rule: nothing is left out and nothing comes twice. Every event out of the history has its offset; before the
first one, "the last ten minutes" grow by the time that has passed. Whoever follows without ``--since``
hears what comes; what was said while nobody listened is not there to be taken up, and that is told.

An offset means something in one history only, and a planner that is back may have another: that of an
embedded broker ends with its process, and a stream can be deleted. So the event that was shown last is
looked for at its offset first. Where it is not, that is told, and all that is kept now is shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.history import FIRST
from dsmtc.client import Client, EventRecord, Lost
from dsmtc.link import LOST, Link
from dsmtc.session import Session

_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
# Below 10^9; from there on it is a time.
_OFFSET: Final = re.compile(r"\d{1,9}")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def followed(
    session: Session, filters: Mapping[str, str], *, count: int, until: float | None
) -> Iterator[EventRecord | Lost]:
    """Events from ``filters["since"]``, or from now, on and on, also across a planner that is away a while.

    Args:
        session: whose client asks, and whose stderr is told what goes on.
        filters: see `dsmtc.client.psepr.PsEPR.events`.
        count: end after so many; 0: no limit.
        until: on the monotonic clock; None: for ever.

    Raises:
        DeadlinePassed: ``until`` came.
        DsmtError: the stream could not be begun, or is refused; only one that was there is taken up again.
    """
    place = Place(filters.get("since", ""), time.monotonic())
    onwards = (
        "going on where it ended"
        if filters.get("since")
        else "what is said meanwhile is not shown; going on"
    )
    link = Link(session, "the stream of events", onwards)
    shown = 0
    while True:
        try:
            if link.begun and not _still_there(session.client, filters, place, until):
                place = Place(FIRST, time.monotonic())
                session.out.story("the history has begun anew meanwhile; going on from its first event")
            asked = {**filters, "since": place.since(time.monotonic())}
            for event in session.client.events(
                asked, count=count - shown if count else 0, until=until, opened=link.opened
            ):
                shown += 1
                place.passed(event)
                yield event
        except LOST as error:
            if not link.begun or (until is not None and time.monotonic() >= until):
                raise
            link.lost(error, until)
        else:
            return


def _onwards(filters: Mapping[str, str]) -> str:
    if filters.get("since"):
        return "going on where it ended"
    if filters.get("snapshot"):
        return "going on with what holds then"
    return "what is said meanwhile is not shown; going on"


class Place:
    """How far the history was shown.

    Args:
        since: as the user gave it.
        began: when, on the monotonic clock.
    """

    def __init__(self, since: str, began: float) -> None:
        self._since = since
        self._began = began
        self._last: tuple[int, EventRecord] | None = None

    def passed(self, event: EventRecord | Lost) -> None:
        """``event`` was shown."""
        if "lost" not in event and "offset" in event:
            self._last = event["offset"], event

    def since(self, now: float) -> str:
        """From where to go on."""
        if self._last is not None:
            return str(self._last[0] + 1)
        ago = _AGO.fullmatch(self._since)
        if ago is None or now <= self._began:
            return self._since
        return f"{float(ago[1]) * _SECONDS[ago[2]] + now - self._began:.3f}s"

    def known(self) -> str:
        """The offset on which all depends: of the last event, or as the user gave it; empty: none does."""
        if self._last is not None:
            return str(self._last[0])
        return self._since if _OFFSET.fullmatch(self._since) else ""

    def is_at(self, found: Iterable[EventRecord | Lost]) -> bool:
        """Whether ``found``, what is kept from `known` on, begins with the event that was shown last."""
        if self._last is None:
            return True
        first = next(iter(found), None)
        return first is not None and "lost" not in first and _identity(first) == _identity(self._last[1])


def _identity(event: EventRecord) -> tuple[object, ...]:
    """What another event, or another place, does not have; a later planner may tell more of an event."""
    return event.get("offset"), event["instance"], event["boot_id"], event["seq"], event["id"]


def _still_there(client: Client, filters: Mapping[str, str], place: Place, until: float | None) -> bool:
    """Whether the history that the planner has now is the one in which ``place`` is."""
    if not (known := place.known()):
        return True
    try:
        # What was shown passes the same filters again.
        found = list(client.events({**filters, "since": known, "follow": ""}, count=1, until=until))
    except Invalid:
        # It has not come as far.
        return False
    return place.is_at(found)
