"""What is held of a source of facts: its last answer as long as that is valid, and its trouble. Pure.

A source that fails says nothing; what it said holds for some periods more, and is unknown afterwards.
Unknown is not false: no node leaves a slice for it (`planner.plans.world.World.staying`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dsmt_core.names import Host
from planner.facts.taking import Taken

VALID_PERIODS: Final = 5
_NOTHING: Final[Mapping[Host, Mapping[str, str]]] = {}


class State(StrEnum):
    """How a source is."""

    WAITING = "waiting"
    WELL = "well"
    TROUBLED = "troubled"
    UNKNOWN = "unknown"


class Held:
    """What is held of one source; one task owns it.

    Args:
        period: seconds between two reads.
    """

    def __init__(self, period: float) -> None:
        self.period = period
        self.facts = _NOTHING
        self.read_at: float | None = None
        self.trouble = ""

    def answered(self, taken: Taken, now: float) -> bool:
        """It answered; whether it says something else than before."""
        changed = taken.facts != self.facts
        self.facts, self.trouble, self.read_at = taken.facts, taken.trouble, now
        return changed

    def failed(self, trouble: str, now: float) -> bool:
        """It did not answer, for this reason; whether what it said is unknown from now on."""
        self.trouble = trouble
        if not self.facts or self.is_valid(now):
            return False
        self.facts = _NOTHING
        return True

    def is_valid(self, now: float) -> bool:
        """Whether what it said last still holds."""
        return self.read_at is not None and now - self.read_at <= VALID_PERIODS * self.period

    def state(self, now: float) -> State:
        """How it is."""
        if self.read_at is None:
            return State.UNKNOWN if self.trouble else State.WAITING
        if not self.is_valid(now):
            return State.UNKNOWN
        return State.TROUBLED if self.trouble else State.WELL
