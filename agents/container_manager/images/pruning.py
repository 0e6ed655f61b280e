"""Which images of a node may go: what DSMT has pulled itself, and nothing was made of for a day. Pure.

An administrator's images are not known here, and so are never removed. The most lately used stay in any
case: a version that does not prove well is replaced by the one before without a registry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

KEPT: Final = 5
UNUSED_S: Final = 86_400.0


def superfluous(
    pulled: Mapping[str, float], used: Collection[str], now: float, *, keep: int = KEPT
) -> list[str]:
    """The ids of what may go, the longest unused first.

    Args:
        pulled: id → when a sliver was last seen to be made of it, seconds since the epoch.
        used: ids of what slivers are made of now.
        now: the same clock; one that was set back only lets images stay longer.
        keep: so many unused ones stay.
    """
    idle = sorted((since, name) for name, since in pulled.items() if name not in used)
    return [name for since, name in idle[: max(len(idle) - keep, 0)] if now - since >= UNUSED_S]
