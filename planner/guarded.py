"""The guard rails of a slice: how many hosts its plan may ask for, and how fast that may change.

They hold for whoever changes the slice, people and service planners alike, until somebody who makes slices
sets other ones. What the world does to a plan (nodes come, fail, and tell other facts) is not theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsmt_core.errors import Conflict
from dsmt_core.guards import Guard


@dataclass(frozen=True, slots=True)
class Guarded:
    """Guard rails, and when the count was changed last under them, seconds since the epoch."""

    guard: Guard
    changed_at: float = 0.0

    def check(self, current: int, asked: int, *, now: float) -> None:
        """Refuse a change of the count that the rails do not allow.

        Raises:
            Conflict: it says which rail, and how to set others.
        """
        changed_at = self.changed_at or float("-inf")
        if why := self.guard.refusal(current, asked, now=now, changed_at=changed_at):
            raise Conflict(
                f"the guard rails of the slice ({self.guard.text}) do not allow it: {why}",
                hint="ask for less at once, or later; a pi sets other rails: dsmtc guard",
            )


def written(guarded: Guarded | None) -> dict[str, Any]:
    """Guard rails as JSON; none are empty."""
    if guarded is None:
        return {}
    guard = guarded.guard
    return {
        "least": guard.least,
        "most": guard.most,
        "step": guard.step,
        "cool_down_s": guard.cool_down_s,
        "changed_at": guarded.changed_at,
    }


def read(value: dict[str, Any]) -> Guarded | None:
    """The guard rails that were written so."""
    if not value:
        return None
    rails = {name: value[name] for name in ("least", "most", "step", "cool_down_s")}
    return Guarded(Guard(**rails), value["changed_at"])
