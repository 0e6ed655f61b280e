"""Which figures of a sliver's container are worth telling: what has changed enough, or was said long ago.

A figure that moves a little with every look is no news; without this rule a node of a hundred slivers
would say some hundred things a minute that nobody needs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.container import CPU_USE, DISK_USE, MEMORY_USE, PERIOD_S
from dsmt_core.names import Slice

# A figure is news when it has moved by a tenth and by at least so much of its unit.
_STEP: Final = {MEMORY_USE: 1024.0, DISK_USE: 1024.0, CPU_USE: 0.05}
_SHARE: Final = 0.1


@dataclass(slots=True)
class Figures:
    """What was told of each sliver, and when; owned by one task."""

    _told: dict[Slice, dict[str, tuple[str, float]]] = field(default_factory=dict)

    def due(self, slice_: Slice, values: Mapping[str, str], now: float) -> dict[str, str]:
        """The figures to tell now, which then count as told.

        Args:
            slice_: of which sliver.
            values: all that is known; an empty one is not known, and not told.
            now: seconds of some clock.
        """
        told = self._told.setdefault(slice_, {})
        due = {name: value for name, value in values.items() if value and _is_due(name, value, told, now)}
        told.update({name: (value, now) for name, value in due.items()})
        return due

    def keep(self, slices: Collection[Slice]) -> None:
        """Forget the slivers that are not among these: what is made again is told anew."""
        for name in self._told.keys() - set(slices):
            del self._told[name]

    def forget_all(self) -> None:
        """Whoever listens may have heard nothing of it: all is told anew."""
        self._told.clear()


def _is_due(name: str, value: str, told: Mapping[str, tuple[str, float]], now: float) -> bool:
    if name not in told:
        return True
    before, at = told[name]
    if not 0 <= now - at < PERIOD_S:
        return True
    if name not in _STEP:
        return value != before
    moved = abs(float(value) - float(before))
    return moved >= _STEP[name] and moved >= _SHARE * float(before)
