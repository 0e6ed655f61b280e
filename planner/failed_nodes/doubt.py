"""Doubt: when so many expire at once that the tracker is the likelier patient."""

from __future__ import annotations

from collections import deque
from typing import Final

# Below this number "more than half" would be two nodes, and two nodes do fail together.
_FEW: Final = 4


def is_mass(failing: int, *, of: int) -> bool:
    """Whether so many fail at once that the observer is the likelier patient."""
    return of >= _FEW and 2 * failing > of


class Doubt:
    """Remembers the verdicts of late, to compare with those that are due."""

    def __init__(self) -> None:
        self._verdicts: deque[float] = deque()

    def given(self, now: float) -> None:
        """A verdict was given."""
        self._verdicts.append(now)

    def is_due(self, expired: int, *, unfailed: int, window: float, now: float) -> bool:
        """Whether so many expire within one limit that none of them is to be believed yet.

        Args:
            expired: how many are due for a verdict now.
            unfailed: how many nodes have not failed, those among them.
            window: the limit: how long a node may be silent, seconds.
            now: the time.
        """
        while self._verdicts and self._verdicts[0] < now - window:
            self._verdicts.popleft()
        recent = len(self._verdicts)
        return is_mass(expired + recent, of=unfailed + recent)
