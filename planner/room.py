"""How much a slice may keep in its depot, and how it is told when that is too little."""

from __future__ import annotations

from dataclasses import dataclass

from dsmt_core.errors import Full
from dsmt_core.names import Site, Slice

UNBOUNDED = 0


@dataclass(frozen=True, slots=True)
class Room:
    """The room of one slice.

    Attributes:
        used: bytes of its packages, each content once.
        allowed: how many it may have; 0 for no bound of its own.
        site: whose slices have a bound together.
        site_used: what the packages of all of them take.
        site_allowed: how many they may have together; 0 for no bound.
    """

    slice: Slice
    used: int
    allowed: int
    site: Site = Site("")  # noqa: RUF009 - a NewType is a plain str
    site_used: int = 0
    site_allowed: int = UNBOUNDED

    @property
    def left(self) -> int | None:
        """How many more it may have; None for no bound."""
        bounds = (self.allowed, self.used), (self.site_allowed, self.site_used)
        return min((max(0, most - used) for most, used in bounds if most != UNBOUNDED), default=None)

    def check(self, more: int) -> None:
        """Make sure that ``more`` bytes have room.

        Raises:
            Full: they have none.
        """
        if self.left is None or more <= self.left:
            return
        whose, used, allowed = f"of {self.slice}", self.used, self.allowed
        if self.site_allowed and self.site_allowed - self.site_used <= self.left:
            whose, used, allowed = f"for all slices of {self.site}", self.site_used, self.site_allowed
        raise Full(
            f"the depot {whose} is full: it has {used:,} of {allowed:,} bytes, "
            f"and this takes {more:,} more",
            hint="remove what nothing needs: dsmtc depot prune; an administrator gives more: "
            "dsmtc depot quota BYTES, dsmtc plc quota SITE",
        )
