"""How long to wait before the next attempt: named policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from ``first_s`` to ``most_s``.

    Attributes:
        first_s: after the first failure, seconds.
        most_s: the longest wait.
        patience: after so many failures in a row the trouble is called lasting, and every further
            wait is the longest.
        healthy_s: running so long forgets the failures before.
    """

    first_s: float = 0.5
    most_s: float = 60.0
    patience: int = 5
    healthy_s: float = 60.0

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after ``failures`` (at least 1) failures in a row."""
        if failures >= self.patience:
            return self.most_s
        return min(self.most_s, self.first_s * 2.0 ** (max(failures, 1) - 1))

    def lasting(self, failures: int) -> bool:
        """Whether ``failures`` in a row are a lasting trouble."""
        return failures >= self.patience


# A crash that goes away by itself costs half a second; one that does not ends the walk through the
# states after about eight seconds, so that the planner can move the application.
RESTART: Final = Backoff()
