"""How many instances a load needs, with hysteresis: between low and high all stays as it is. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple


class Aims(NamedTuple):
    """The mean load of an instance at which it is to stay, as a share of what one can do.

    Attributes:
        low: below it there are too many.
        high: above it there are too few.
    """

    low: float = 0.3
    high: float = 0.8


def wish(loads: Collection[float], current: int, aims: Aims) -> int:
    """How many instances there should be.

    Args:
        loads: of the instances that are heard.
        current: how many there are to be; some of them may be on their way.
        aims: between which the mean is to stay.
    """
    if not loads:
        # Unknown is not idle.
        return current
    mean = sum(loads) / len(loads)
    if aims.low <= mean <= aims.high:
        return current
    needed = max(1, math.ceil(sum(loads) / ((aims.low + aims.high) / 2)))
    return max(current, needed) if mean > aims.high else min(current, needed)
