"""A stream of the planner's that breaks off and is taken up again: when, and what is told of it."""

from __future__ import annotations

import random
import time
from typing import Final

from dsmt_core.errors import DeadlinePassed, DsmtError, Full, Unavailable
from dsmtc.session import Session

LOST: Final = (Unavailable, DeadlinePassed, Full)
"""Why a stream that was there may come again; anything else is the planner's word."""
# The wait before a further attempt grows from the one to the other (seconds); it is drawn between half of
# it and all, so that those who lost one planner do not come back together.
FIRST_S: Final = 0.5
MOST_S: Final = 10.0


class Link:
    """Whether the stream is there; each change is told once.

    Args:
        session: whose stderr is told.
        what: it is called.
        onwards: how it will go on.

    Attributes:
        begun: it was there once; before that nothing is to be taken up.
    """

    def __init__(self, session: Session, what: str, onwards: str) -> None:
        self._session = session
        self._what = what
        self._onwards = onwards
        self.begun = False
        self._failures = 0

    def opened(self) -> None:
        """It is there."""
        if self._failures:
            self._session.out.story(f"{self._what} goes on")
        self.begun, self._failures = True, 0

    def lost(self, error: DsmtError, until: float | None = None) -> None:
        """It is not; wait a while.

        Args:
            error: why not.
            until: on the monotonic clock, at most; None: no limit.
        """
        if not self._failures:
            self._session.out.story(f"{error}; {self._onwards} as soon as it answers")
        wait = min(MOST_S, FIRST_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - luck, no secret
        self._failures += 1
        time.sleep(wait if until is None else max(0.0, min(wait, until - time.monotonic())))
