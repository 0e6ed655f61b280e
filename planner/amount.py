"""Amounts: a number, or so many of a hundred, as people write them. Pure.

A percentage is seldom a whole number of hosts, and which way it is rounded is a promise. So whoever uses
an amount says which way, each time:

    UP      what must at least be there, or may at most come: what is kept up, a wave of a roll-out, the
            places of a limit. More of it harms nobody.
    DOWN    what may at most be lost: what may be down, failures that are borne, members that are
            exchanged. Rounded up it would be more than people allowed.

Kubernetes rounds the same way: ``maxSurge`` up, for it adds, and ``maxUnavailable`` down, for it takes
away; and as there, where rounding down leaves nothing of something, it is one: otherwise a small slice
could never change.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import Final

_TEXT: Final = re.compile(r"([0-9]{1,9})|([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")


class Rounding(Enum):
    """Which way a percentage becomes a number; see above."""

    UP = auto()
    DOWN = auto()


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or so many of a hundred.

    Attributes:
        number: at least 0; at most 100 when ``percent``.
        percent: which of the two.
    """

    number: float
    percent: bool = False

    def of(self, whole: int, rounding: Rounding) -> int:
        """How many that is of ``whole``; a number is what it is, also above ``whole``.

        Computed with the decimal digits that people wrote: as floats 7 % of 100 are a little more than 7,
        and 29 % a little less than 29.
        """
        if not self.percent:
            return int(self.number)
        exact = Fraction(str(self.number)) * whole / 100
        if rounding is Rounding.UP:
            return math.ceil(exact)
        return max(math.floor(exact), 1) if self.number else 0

    def __str__(self) -> str:
        if not self.percent:
            return str(int(self.number))
        return f"{self.number:.6f}".rstrip("0").rstrip(".") + "%"


ALL: Final = Amount(100, percent=True)
TENTH: Final = Amount(10, percent=True)


def read_amount(text: str) -> Amount | None:
    """``3``, ``10%`` or ``0.5 %``; None when it is no amount, or a percentage above 100."""
    read = _TEXT.fullmatch(text.strip(" "))
    if read is None:
        return None
    if read[1]:
        return Amount(int(read[1]))
    percent = float(read[2])
    return Amount(percent, percent=True) if percent <= 100 else None
