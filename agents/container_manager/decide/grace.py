"""How long a sliver may have taken more than it may before it is ended. Pure.

A short grace lets an application that writes, packs and removes its files go on; what is measured below
the quota once begins a new one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.names import Slice

GRACE_S: Final = 10.0


@dataclass(slots=True)
class Graces:
    """Since when which sliver is over; owned by one task."""

    _since: dict[Slice, float] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether some sliver is over now, and is to be looked at early."""
        return bool(self._since)

    def ended(self, name: Slice, *, over: bool, now: float) -> bool:
        """Take in a measurement; whether the sliver has been over for long enough.

        Args:
            name: of the sliver.
            over: what was measured.
            now: when.
        """
        if not over:
            self._since.pop(name, None)
            return False
        return now - self._since.setdefault(name, now) >= GRACE_S

    def keep(self, names: Collection[Slice]) -> None:
        """Forget all slivers but these."""
        self._since = {name: since for name, since in self._since.items() if name in names}
