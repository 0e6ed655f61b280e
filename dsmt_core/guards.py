"""Guard rails of a count: least, most, how much at once, and how soon again. Pure.

The same rule is kept twice: by a service planner before it asks (`Guard.decide`), and by the planner when
it is asked (`Guard.refusal`), so that one that went mad neither empties nor floods a slice. What `decide`
answers, `refusal` lets through.

A count that is outside of the rails already, because they were set later, may always come nearer to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid

NO_MOST: Final = 0
ANY_STEP: Final = 0
_LONGEST_S: Final = 7 * 86_400.0
_GREATEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Ruled:
    """What guard rails make of a wish.

    Attributes:
        count: how many there should be now.
        reason: why it is not what was wished; empty when it is.
    """

    count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Guard rails.

    Attributes:
        least: never fewer than this many.
        most: never more; 0 for any number.
        step: so many more or fewer at once; 0 for any number.
        cool_down_s: seconds between two changes.

    Raises:
        Invalid: a number is negative or not finite, or least is more than most.
    """

    least: int = 0
    most: int = NO_MOST
    step: int = ANY_STEP
    cool_down_s: float = 0.0

    def __post_init__(self) -> None:
        for name, number in (("least", self.least), ("most", self.most), ("step", self.step)):
            if not 0 <= number <= _GREATEST:
                raise Invalid(f"{name} is {number}", hint=f"it takes a whole number from 0 to {_GREATEST}")
        if not (math.isfinite(self.cool_down_s) and 0 <= self.cool_down_s <= _LONGEST_S):
            raise Invalid(f"cool-down is {self.cool_down_s:g}", hint="it takes seconds, at most a week")
        if self.most and self.least > self.most:
            raise Invalid(f"at least {self.least} and at most {self.most} cannot both be kept")

    @property
    def text(self) -> str:
        """The rails in words."""
        rails = [
            f"at least {self.least}" if self.least else "",
            f"at most {self.most}" if self.most else "",
            f"{self.step} at once" if self.step else "",
            f"every {self.cool_down_s:g} s" if self.cool_down_s else "",
        ]
        return ", ".join(filter(None, rails)) or "none"

    def decide(self, current: int, wished: int, *, now: float, changed_at: float = -math.inf) -> Ruled:
        """What a wish becomes.

        Args:
            current: how many there are to be now.
            wished: how many there should be.
            now: seconds of some clock.
            changed_at: when the count was changed last, by the same clock.
        """
        inside = max(min(wished, self._roof), self.least)
        if inside == current:
            return Ruled(current, "" if wished == current else self._bounded(wished))
        if left := self._cooling(now, changed_at):
            return Ruled(current, f"it cools down for another {left:.0f} s")
        near = max(min(inside, current + self._stride), current - self._stride)
        if near != inside:
            return Ruled(near, f"at most {self.step} at once")
        return Ruled(inside, "" if inside == wished else self._bounded(wished))

    def refusal(self, current: int, asked: int, *, now: float, changed_at: float = -math.inf) -> str:
        """Why a change may not be made; empty when it may. The arguments are those of `decide`."""
        if asked == current:
            return ""
        if asked < self.least and asked < current:
            return f"{asked} would be fewer than {self.least}"
        if asked > self._roof and asked > current:
            return f"{asked} would be more than {self.most}"
        if abs(asked - current) > self._stride:
            return f"from {current} to {asked} is more than {self.step} at once"
        if left := self._cooling(now, changed_at):
            return f"the last change was {now - changed_at:.0f} s ago; wait another {left:.0f} s"
        return ""

    @property
    def _roof(self) -> int:
        return self.most or _GREATEST

    @property
    def _stride(self) -> int:
        return self.step or _GREATEST

    def _cooling(self, now: float, changed_at: float) -> float:
        """Seconds that are still to wait; 0 when none, also by a clock that was set back."""
        passed = now - changed_at
        return self.cool_down_s - passed if 0 <= passed < self.cool_down_s else 0.0

    def _bounded(self, wished: int) -> str:
        return f"at least {self.least}" if wished < self.least else f"at most {self.most}"
