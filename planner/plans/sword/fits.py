"""How well each node fits a group: its penalty, by columns; infinite where it cannot be of it.

Unknown is not false: a node of the slice of which a fact is not known keeps its place, without a penalty
for it; another node cannot be chosen.
"""

from __future__ import annotations

from itertools import repeat
from math import inf, isnan, nan
from typing import Final

import numpy as np

from planner.plans.ground import Ground, Mask, Numbers, Rows
from planner.plans.sword.query import Choices, Group, Range

_SHOWN: Final = 60


def fits(group: Group, ground: Ground, rows: Rows, members: Mask) -> Numbers:
    """The penalty of each node in these rows.

    Args:
        group: what is asked for.
        ground: the hosts.
        rows: those that are looked at.
        members: of the same rows: who stays when something is not known.
    """
    total, unknown = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.bool_)
    for name, wish in group.attributes.items():
        costs = _costs(wish, name, ground)[rows]
        missing = np.isnan(costs)
        unknown |= missing
        total += np.where(missing, 0.0, costs)
    total[unknown & ~members] = inf
    return total


def why_not(group: Group, ground: Ground, row: int) -> str:
    """What rules a node out, or is not known of it; empty when nothing."""
    one = ground.only(row)
    unknown = ""
    for name, wish in group.attributes.items():
        cost = float(_costs(wish, name, one)[0])
        if isnan(cost):
            unknown = unknown or f"{name} is not known"
        elif cost == inf:
            return f"{name} is {str(one.texts(name)[0])[:_SHOWN]}, not {wish}"
    return unknown


def _costs(wish: Range | Choices, name: str, ground: Ground) -> Numbers:
    if isinstance(wish, Range):
        return wish.costs(ground.numbers(name))
    penalties: dict[str | None, float] = {None: nan}
    penalties.update(wish.penalties)
    return np.array(list(map(penalties.get, ground.texts(name), repeat(inf))))
