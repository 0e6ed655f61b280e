"""Time for the planner: seconds since the epoch that never jump.

The wall clock is read once; afterwards the monotonic clock counts on. So a time of seen can be shown to
people, stored and compared, and a corrected wall clock ages no node.
"""

from __future__ import annotations

import time


class SteadyClock:
    """Call it for the time."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self._offset + time.monotonic()
