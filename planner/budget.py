"""The disruption budget of a slice: how many of its instances have to stay up. Pure.

It is a number or a share, of what must be kept or of what may be down; nobody has to choose: by default one
in ten, or one at a time, may be down by the planner's own doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from planner.amount import TENTH, Amount, Rounding, read_amount

_KEEP: Final = "keep"
_LOSE: Final = "max-unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many instances may be down, or have to be kept up.

    Attributes:
        amount: how many; a share is of what the plan would have if every node were well and in service.
        keeps: it is what stays up; otherwise what may be down.
    """

    amount: Amount
    keeps: bool

    def least(self, wanted: int) -> int:
        """How many of ``wanted`` instances have to be up."""
        if self.keeps:
            return self.amount.of(wanted, Rounding.UP)
        return max(wanted - self.amount.of(wanted, Rounding.DOWN), 0)

    @property
    def text(self) -> str:
        """As people write it: ``keep 80%`` or ``max-unavailable 1``."""
        return f"{_KEEP if self.keeps else _LOSE} {self.amount}"


DEFAULT: Final = Budget(amount=TENTH, keeps=False)


def budget(text: str) -> Budget:
    """The budget that a text names; empty: the default.

    Raises:
        Invalid: it is none.
    """
    if not text:
        return DEFAULT
    word, _, rest = text.partition(" ")
    amount = read_amount(rest)
    if word not in {_KEEP, _LOSE} or amount is None:
        raise Invalid(
            f"{text[:60]!r} is no disruption budget",
            hint=f"{_KEEP} N, {_KEEP} N%, {_LOSE} N or {_LOSE} N%, such as {_KEEP} 80%, at most 100%",
        )
    return Budget(amount=amount, keeps=word == _KEEP)
