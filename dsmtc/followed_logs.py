"""Following what is printed: logs that break off are taken up again behind the last line of each node.

Rule: asked again, a node tells what it printed since a little before the break; of that the lines that were
shown are left out by their times and by how many there were of the last. So nothing comes twice, and what
was not shown comes, the last ten thousand lines of each node at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.calls import LINES_MOST
from dsmt_core.errors import Unavailable
from dsmtc.client.looked_in import LogLine
from dsmtc.link import LOST, Link
from dsmtc.session import Session

# What was printed just before the break may not have come through any more.
OVERLAP_S: Final = 15.0


def followed(
    session: Session, application: str, *, at: str, lines: int, since_s: float
) -> Iterator[LogLine]:
    """Lines that are kept and that come, for ever, also across a planner that is away for a while.

    Args:
        session: whose client asks, and whose stderr is told what goes on.
        application: of the session's slice.
        at: a node or a plan; empty: wherever it is.
        lines: the last so many of each node at first.
        since_s: only of so many seconds at first; 0: any.

    Raises:
        DsmtError: the logs could not be begun, or are refused; only those that were there are taken up.
    """
    link = Link(session, "what is printed", "going on where it ended")
    shown = Shown(time.time())
    while True:
        try:
            for line in session.client.logs(
                session.slice,
                application,
                at=at,
                follow=True,
                opened=link.opened,
                lines=lines,
                since_s=since_s,
            ):
                if shown.takes(line, time.time()):
                    yield line
            session.client.still_known()
            raise Unavailable("the planner ended the logs")
        except LOST as error:
            if not link.begun:
                raise
            link.lost(error)
        lines, since_s = LINES_MOST, max(0.0, time.time() - shown.again()) + OVERLAP_S


@dataclass(slots=True)
class Shown:
    """How far each node's lines were shown: the time of the last, and how many were of that time.

    Args:
        heard_at: when it begins, seconds since the epoch by the clock of who reads.
    """

    heard_at: float
    _last: dict[str, tuple[str, int]] = field(default_factory=dict)
    _behind: dict[str, tuple[str, int]] = field(default_factory=dict)
    _silent: dict[str, float] = field(default_factory=dict)

    def takes(self, line: LogLine, now: float) -> bool:
        """Whether a line that comes now is to be shown; one without a time always is."""
        self.heard_at, host, at = now, line["host"], line.get("at", "")
        if "trouble" in line:
            self._silent.setdefault(host, now)
        else:
            self._silent.pop(host, None)
        if not at:
            return True
        moment, left = self._behind.get(host, ("", 0))
        if at < moment:
            return False
        if at == moment and left:
            self._behind[host] = moment, left - 1
            return False
        self._behind.pop(host, None)
        before, count = self._last.get(host, ("", 0))
        self._last[host] = at, count + 1 if at == before else 1
        return True

    def again(self) -> float:
        """What was shown comes again; since when each node's lines are to be asked for."""
        self._behind = dict(self._last)
        return min([self.heard_at, *self._silent.values()])
