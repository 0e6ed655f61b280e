"""Asking every half second until an answer is the one that is waited for.

A planner that is away for a while does not end it: the next answer tells all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from dsmt_core.errors import DeadlinePassed, Unavailable
from dsmtc.session import Session

POLL_S: Final = 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asking(Generic[T]):
    """What is asked.

    Attributes:
        ask: gets one answer.
        reached: whether it is the one that is waited for.
        late: the error when the time is over, from the last answer; None: there was none lately.
    """

    ask: Callable[[], T]
    reached: Callable[[T], bool]
    late: Callable[[T | None], DeadlinePassed]


def polled(session: Session, asking: Asking[T], *, timeout_s: float | None) -> Iterator[T]:
    """An answer every half second, up to the one that is waited for.

    Args:
        session: whose stderr is told when the planner is away.
        asking: what is asked.
        timeout_s: the longest to wait; None: for ever.

    Raises:
        DeadlinePassed: the time is over.
        DsmtError: the first answer did not come: a wrong URL or slice is an error at once.
    """
    if session.imagines:
        # What was noted instead of sent will never be reached.
        return
    end = None if timeout_s is None else time.monotonic() + timeout_s
    answer: T | None = asking.ask()
    last = answer
    while True:
        if answer is not None:
            last = answer
            yield answer
            if asking.reached(answer):
                return
        if end is not None and time.monotonic() >= end:
            raise asking.late(last)
        time.sleep(POLL_S if end is None else max(0.0, min(POLL_S, end - time.monotonic())))
        away = answer is None
        answer = _attempt(session, asking.ask, quiet=away)
        if away and answer is not None:
            session.out.story("the planner answers again")


def _attempt(session: Session, ask: Callable[[], T], *, quiet: bool) -> T | None:
    try:
        return ask()
    except (Unavailable, DeadlinePassed) as error:
        if not quiet:
            session.out.story(f"{error}; trying again")
        return None
