"""The planner's clock, as each of its answers tells it: what it says of times is compared with no other."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

# An answer tells whole seconds, and takes a moment.
AGREE_S: Final = 3.0


def ahead(date: str, now: float) -> float:
    """How far a clock is ahead of this machine's, seconds; 0.0 where they agree, or that is not known.

    Args:
        date: what an answer says in its header ``Date``.
        now: by the clock of this machine, seconds since the epoch.
    """
    try:
        off = parsedate_to_datetime(date).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return off if abs(off) > AGREE_S else 0.0
