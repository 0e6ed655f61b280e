"""What a change would set in motion, asked beforehand or at the moment of the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsmt_core.errors import Conflict
from planner.fleet import Fleet
from planner.foresight import Foresight
from planner.preview import Preview, Touch, preview, previewing
from planner.reconcile import SentOrders
from planner.service.means import Means
from planner.service.pieces import in_pieces
from planner.wanted import Wanted, WantedSlice


class Previews:
    """Thinks rounds through that are not run.

    Args:
        means: what is wanted, and what time it is.
        fleet: what is seen.
        sent: what was ordered; looked at only.
    """

    def __init__(self, means: Means, fleet: Fleet, sent: SentOrders) -> None:
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = fleet
        self._sent = sent

    def of(self, changed: WantedSlice, wanted: Wanted | None = None) -> Preview:
        """What the next rounds would do if the slice were changed so now, and all else were ``wanted``."""
        committed = wanted or self._ledger.wanted
        return preview(committed, changed, self._fleet, sent=self._sent, now=self._clock())

    async def looked_at(self, changed: WantedSlice) -> Preview:
        """`of`, in pieces: for who only looks. Whoever changes something then, `Checked` asks again."""
        now = self._clock()
        steps = previewing(self._ledger.wanted, changed, self._fleet, sent=self._sent, now=now)
        return await in_pieces(steps)


@dataclass(slots=True)
class Checked:
    """A change that is made only if the world is as it was when it was looked at.

    Attributes:
        index: the one that was seen; empty: any.
        preview: what it sets in motion, once that is known.
    """

    index: str = ""
    preview: Preview | None = None

    def hold(self, now: Preview) -> None:
        """Take what would happen now.

        Raises:
            Conflict: it is not what was seen.
        """
        if self.index:
            check_index(self.index, now.index)
        self.preview = now

    def motion(self) -> dict[str, int]:
        """What it sets in motion, in numbers."""
        return {} if self.preview is None else written_motion(self.preview)


def check_index(seen: str, now: str) -> None:
    """Return if what is so now is what was seen.

    Raises:
        Conflict: it is not.
    """
    if seen != now:
        raise Conflict(
            f"the world has changed since the index {seen[:40]!r} was given; nothing is changed",
            hint="look again with --dry-run, and use the index that it tells",
        )


def written_foresight(found: Foresight) -> dict[str, Any]:
    """What another release would change, as the API shows it."""
    return {
        "application": found.application,
        "from_version": found.before.version,
        "version": found.after.version,
        "changes": list(found.changes),
        "waves": [
            {"wave": wave.number, "upto": wave.upto, "hosts": list(wave.hosts)} for wave in found.waves
        ],
        "index": found.index,
    }


def written_motion(found: Preview) -> dict[str, int]:
    """How many hosts begin, end and move."""
    return {"start": found.starts, "stop": found.stops, "move": found.moves}


def written_preview(found: Preview) -> dict[str, Any]:
    """A preview as the API shows it."""
    return written_motion(found) | {
        "index": found.index,
        "stay": found.stays,
        "missing": found.missing,
        "touched": [_touched(one) for one in found.touched],
        "waiting": [
            {"host": one.host, "application": one.application, "reason": one.reason}
            for one in found.waiting
        ],
    }


def _touched(one: Touch) -> dict[str, Any]:
    return {
        "host": one.host,
        "does": one.does.value,
        "step": one.step,
        "replaces": one.replaces,
        "waits": one.waits,
        "reason": one.reason.text,
        "plan": one.reason.plan,
        "function": one.reason.function,
    }
