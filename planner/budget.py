"""The disruption budget of a slice: how many of its instances have to stay up. Pure.

It is a number or a share, of what must be kept or of what may be down; nobody has to choose: by default one
in ten, or one at a time, may be down by the planner's own doing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid

_AMOUNT: Final = re.compile(r"(\d{1,6})( ?%)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many instances may be down, or have to be kept up.

    Attributes:
        amount: how many, or how many in a hundred when ``share``.
        share: a share of what the plan would have if every node were well and in service.
        keeps: it is what stays up; otherwise what may be down.
    """

    amount: int
    share: bool
    keeps: bool

    def least(self, wanted: int) -> int:
        """How many of ``wanted`` instances have to be up.

        A share that is kept is rounded up. One that may be down is rounded down, and is one at least, for
        otherwise a small slice could never change.
        """
        if self.keeps:
            return math.ceil(self.amount * wanted / 100) if self.share else self.amount
        down = max(self.amount * wanted // 100, min(self.amount, 1)) if self.share else self.amount
        return max(wanted - down, 0)

    @property
    def text(self) -> str:
        """As people write it: ``keep 80%`` or ``max-unavailable 1``."""
        return f"{'keep' if self.keeps else 'max-unavailable'} {self.amount}{'%' if self.share else ''}"


DEFAULT: Final = Budget(amount=10, share=True, keeps=False)


def budget(text: str) -> Budget:
    """The budget that a text names; empty: the default.

    Raises:
        Invalid: it is none.
    """
    if not text:
        return DEFAULT
    word, _, amount = text.partition(" ")
    read = _AMOUNT.match(amount)
    if word not in {"keep", "max-unavailable"} or read is None:
        raise Invalid(
            f"{text[:60]!r} is no disruption budget",
            hint="keep N, keep N%, max-unavailable N or max-unavailable N%, such as keep 80%",
        )
    number, share = int(read[1]), bool(read[2])
    if share and number > 100:
        raise Invalid(f"the budget {text} is more than everything", hint="a share is 0% to 100%")
    return Budget(amount=number, share=share, keeps=word == "keep")
