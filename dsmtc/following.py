"""Following the history: a stream that breaks off is taken up again behind the last event that was shown.

Rule: nothing is left out and nothing comes twice. Every event out of the history has its offset; before the
first one, "the last ten minutes" grow by the time that has passed. Whoever follows without ``--since``
hears what comes, and what was said meanwhile is not there to be taken up.

An offset means something in one history only, and a planner that is back may have another: that of an
embedded broker ends with its process, and a stream can be deleted. So the event that was shown last is
looked for at its offset first. Where it is not, that is told, and all that is kept now is shown.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dsmt_core.errors import DeadlinePassed, DsmtError, Full, Invalid, Unavailable
from dsmt_core.history import FIRST
from dsmtc.client import Client, EventRecord, Lost
from dsmtc.session import Session

# The wait before a further attempt grows from the one to the other (seconds); it is drawn between half of
# it and all, so that those who lost one planner do not come back together.
FIRST_S: Final = 0.5
MOST_S: Final = 10.0
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
# Below 10^9; from there on it is a time.
_OFFSET: Final = re.compile(r"\d{1,9}")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def followed(
    session: Session, filters: Mapping[str, str], *, count: int, until: float | None
) -> Iterator[EventRecord | Lost]:
    """Events from ``filters["since"]`` on and on, also across a planner that is away for a while.

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
    link = _Link(session)
    shown = 0
    while True:
        try:
            if link.begun and not _still_there(session.client, filters, place, until):
                place = Place(FIRST, time.monotonic())
                link.anew()
            asked = {**filters, "since": place.since(time.monotonic())}
            for event in session.client.events(
                asked, count=count - shown if count else 0, until=until, opened=link.opened
            ):
                shown += 1
                place.passed(event)
                yield event
        except (Unavailable, DeadlinePassed, Full) as error:
            if not link.begun or (until is not None and time.monotonic() >= until):
                raise
            link.lost(error, until)
        else:
            return


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


class _Link:
    """Whether the stream is there; each change is told once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.begun = False
        self._failures = 0

    def opened(self) -> None:
        """It is there."""
        if self._failures:
            self._session.out.story("the stream of events goes on")
        self.begun, self._failures = True, 0

    def anew(self) -> None:
        """Where it ended is nowhere now."""
        self._session.out.story("the history has begun anew meanwhile; going on from its first event")

    def lost(self, error: DsmtError, until: float | None) -> None:
        """It is not; wait a while."""
        if not self._failures:
            self._session.out.story(f"{error}; going on where it ended as soon as it answers")
        wait = min(MOST_S, FIRST_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - luck, no secret
        self._failures += 1
        time.sleep(wait if until is None else max(0.0, min(wait, until - time.monotonic())))
