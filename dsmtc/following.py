"""Following the history: a stream that breaks off is taken up again behind the last event that was shown.

Rule: nothing is left out and nothing comes twice. Every event out of the history has its offset; before the
first one, "the last ten minutes" grow by the time that has passed. Whoever follows without ``--since``
hears what comes, and what was said meanwhile is not there to be taken up.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

from dsmt_core.errors import DeadlinePassed, DsmtError, Unavailable
from dsmtc.client import EventRecord, Lost
from dsmtc.session import Session

# The wait before a further attempt grows from the one to the other (seconds); it is drawn between half of
# it and all, so that those who lost one planner do not come back together.
FIRST_S: Final = 0.5
MOST_S: Final = 10.0
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
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
        asked = {**filters, "since": place.since(time.monotonic())}
        try:
            for event in session.client.events(
                asked, count=count - shown if count else 0, until=until, opened=link.opened
            ):
                shown += 1
                place.passed(event)
                yield event
        except (Unavailable, DeadlinePassed) as error:
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
        self._last: int | None = None

    def passed(self, event: EventRecord | Lost) -> None:
        """``event`` was shown."""
        if "lost" not in event:
            self._last = event.get("offset", self._last)

    def since(self, now: float) -> str:
        """From where to go on."""
        if self._last is not None:
            return str(self._last + 1)
        ago = _AGO.fullmatch(self._since)
        if ago is None or now <= self._began:
            return self._since
        return f"{float(ago[1]) * _SECONDS[ago[2]] + now - self._began:.3f}s"


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

    def lost(self, error: DsmtError, until: float | None) -> None:
        """It is not; wait a while."""
        if not self._failures:
            self._session.out.story(f"{error}; going on where it ended as soon as it answers")
        wait = min(MOST_S, FIRST_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - luck, no secret
        self._failures += 1
        time.sleep(wait if until is None else max(0.0, min(wait, until - time.monotonic())))
