"""How much a slice may keep in its depot, and how it is told when that is too little."""

from __future__ import annotations

from dataclasses import dataclass

from dsmt_core.errors import Full
from dsmt_core.names import Slice

UNBOUNDED = 0


@dataclass(frozen=True, slots=True)
class Room:
    """The room of one slice.

    Attributes:
        used: bytes of its packages, each content once.
        allowed: how many it may have; 0 for no bound of its own.
    """

    slice: Slice
    used: int
    allowed: int

    @property
    def left(self) -> int | None:
        """How many more it may have; None for no bound."""
        return None if self.allowed == UNBOUNDED else max(0, self.allowed - self.used)

    def check(self, more: int) -> None:
        """Make sure that ``more`` bytes have room.

        Raises:
            Full: they have none.
        """
        if self.left is not None and more > self.left:
            raise Full(
                f"the depot of {self.slice} is full: it has {self.used:,} of {self.allowed:,} bytes, "
                f"and this takes {more:,} more",
                hint="remove what nothing needs: dsmtc depot prune; an administrator gives more: "
                "dsmtc depot quota BYTES",
            )
