"""Waiting for a drain: each change is one line; on a terminal the line is written over.

It ends when nothing is left, or when the planner says that the time is over.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

from dsmt_core.errors import DeadlinePassed, Unavailable
from dsmtc.client import Stood
from dsmtc.rendering.standings import progress
from dsmtc.rendering.text import clean
from dsmtc.session import Session

POLL_S: Final = 0.5


def wait_until_drained(session: Session, hosts: Sequence[str]) -> None:
    """Wait until nothing is left on these nodes.

    Raises:
        DeadlinePassed: a drain is over its time, and what is left is not stopped by force.
    """
    shown, before = _Shown(), ""
    while True:
        mine = _asked(session, frozenset(hosts))
        if mine is not None:
            if (line := progress(mine)) != before:
                shown.line(line)
                before = line
            if not any(one["standing"]["left"] for one in mine):
                break
            late = [one["host"] for one in mine if _is_over(one)]
            if late:
                shown.end()
                raise DeadlinePassed(
                    f"the time is over, and not everything has left {', '.join(late)}",
                    hint="nothing new is placed there; drain again with --force, or --cancel",
                )
        time.sleep(POLL_S)
    shown.end()


class _Shown:
    """Progress on stderr, so that stdout holds the answer alone."""

    def __init__(self) -> None:
        self._over = sys.stderr.isatty()

    def line(self, text: str) -> None:
        begin, end = ("\r\x1b[K", "") if self._over else ("", "\n")
        sys.stderr.write(f"{begin}{clean(text)}{end}")
        sys.stderr.flush()

    def end(self) -> None:
        if self._over:
            sys.stderr.write("\n")


def _asked(session: Session, hosts: frozenset[str]) -> list[Stood] | None:
    """How the nodes stand; None while the planner is away, which ends nothing."""
    try:
        return [one for one in session.client.standings() if one["host"] in hosts]
    except (Unavailable, DeadlinePassed):
        return None


def _is_over(one: Stood) -> bool:
    standing = one["standing"]
    forced = standing.get("drain", {}).get("force", False)
    return standing["late"] and bool(standing["left"]) and not forced
