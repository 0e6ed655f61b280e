"""How often nodes are to beat: the more there are, the more seldom, so that the load stays the same."""

from __future__ import annotations

import math
from typing import Final

RATE: Final = 500.0
"""Heartbeats a second that a planner takes without noticing: a tenth of what it can fold."""

# Periods grow in such steps: a node more must not mean a word to everybody.
_STEP: Final = 1.5
# Two periods differ when they do by more than this share.
_SAME: Final = 0.01


def period_s(configured: float, nodes: int, rate: float = RATE) -> float:
    """Seconds between the heartbeats of each of ``nodes`` nodes.

    The least of ``configured``, 1.5 times, 2.25 times … with which at most ``rate`` come in a second
    (Nomad: a time to live of nodes / rate).
    """
    needed = nodes / rate
    if needed <= configured:
        return configured
    steps = math.ceil(math.log(needed / configured, _STEP) - 1e-9)
    return configured * _STEP**steps


def differ(period: float, other: float) -> bool:
    """Whether a node that beats with ``period`` is to be told ``other``."""
    return abs(period - other) > _SAME * other
