"""How long ago nodes were heard, as a page shows it: how many in which class. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

# Seconds; a node says something once a second, unless it is told to speak less.
EDGES_S: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


def ages(heard: Iterable[float], now: float) -> list[tuple[float | None, int]]:
    """Classes of ages, each with its upper end (seconds; None: no end) and how many are in it.

    Args:
        heard: when the last heartbeat of each node came, seconds of the clock of ``now``.
        now: the present.
    """
    counts = [0] * (len(EDGES_S) + 1)
    for one in heard:
        counts[bisect_right(EDGES_S, now - one)] += 1
    return list(zip((*EDGES_S, None), counts, strict=True))
