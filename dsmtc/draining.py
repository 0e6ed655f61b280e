"""Waiting for a drain: each change is one line; on a terminal the line is written over.

It ends when nothing is left, or when the planner says that the time is over.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dsmt_core.errors import DeadlinePassed
from dsmtc.client import Stood
from dsmtc.output import say
from dsmtc.polling import Asking, polled
from dsmtc.progress import Ticker
from dsmtc.rendering.standings import progress
from dsmtc.session import Session


def wait_until_drained(session: Session, hosts: Sequence[str]) -> None:
    """Wait until nothing is left on these nodes.

    Raises:
        DeadlinePassed: a drain is over its time, and what is left is not stopped by force.
    """
    mine = frozenset(hosts)
    asking = Asking(
        lambda: [one for one in session.client.standings() if one["host"] in mine],
        lambda stood: bool(_overdue(stood)) or not any(one["standing"]["left"] for one in stood),
        _late,
    )
    last: list[Stood] = []
    # Progress on stderr, so that stdout holds the answer alone.
    with Ticker() as ticker:
        for last in polled(session, asking, timeout_s=None):
            ticker.tell(progress(last))
    if sys.stderr.isatty():
        say(progress(last))
    if _overdue(last):
        raise _late(last)


def _overdue(stood: Sequence[Stood]) -> list[str]:
    """The nodes whose time is over, on which something is left that is not stopped by force."""
    return [
        one["host"]
        for one in stood
        if one["standing"]["late"]
        and one["standing"]["left"]
        and not one["standing"].get("drain", {}).get("force", False)
    ]


def _late(stood: Sequence[Stood] | None) -> DeadlinePassed:
    return DeadlinePassed(
        f"the time is over, and not everything has left {', '.join(_overdue(stood or ()))}",
        hint="nothing new is placed there; drain again with --force, or --cancel",
    )
