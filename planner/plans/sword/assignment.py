"""Giving nodes to groups when no two nodes matter to each other: exact, as many as possible, then cheapest.

Successive shortest paths of a flow of least cost (R. Ahuja, T. Magnanti, J. Orlin, "Network Flows", 1993,
ch. 9) over the groups: one more machine for a group is a free node, or one that another group gives up and
replaces. Groups are few, so paths are short, and all nodes are looked at as columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from planner.plans.ground import Numbers

FREE: Final = -1

Owners = npt.NDArray[np.intp]


def assign(costs: Numbers, counts: Sequence[int]) -> Owners:
    """The group of each node, or `FREE`.

    Args:
        costs: what a node costs in a group, (groups, nodes); infinite where it cannot be of it.
        counts: how many nodes each group is to have.

    Returns:
        An assignment of the most nodes, and among those of least cost. Of equal ones the first node.
    """
    kept = _candidates(costs, sum(counts))
    owners = np.full(costs.shape[1], FREE)
    if len(kept):
        owners[kept] = _assigned(costs[:, kept], np.array(counts))
    return owners


def _candidates(costs: Numbers, count: int) -> Owners:
    """The nodes that can matter: a group never needs one beyond its ``count`` cheapest."""
    kept = [np.argsort(of_group, kind="stable")[:count] for of_group in costs]
    places = np.unique(np.concatenate(kept))
    return places[np.isfinite(costs[:, places]).any(axis=0)]


def _assigned(costs: Numbers, room: Owners) -> Owners:
    owners = np.full(costs.shape[1], FREE)
    room = room.copy()
    for _ in range(int(room.sum())):
        way = _cheapest_way(costs, owners, room)
        if not way:
            break
        room[way[0][0]] -= 1
        for group, node in way:
            owners[node] = group
    return owners


def _cheapest_way(costs: Numbers, owners: Owners, room: Owners) -> list[tuple[int, int]]:
    """Which groups take which nodes so that one with room has one more; empty when none can have one."""
    groups = len(costs)
    free = np.where(owners == FREE, costs, np.inf)
    taken, best = free.argmin(axis=1), free.min(axis=1)
    # What it costs that one group takes a node from another, and which node.
    moves, moved = np.full((groups, groups), np.inf), np.full((groups, groups), FREE)
    for group in range(groups):
        held = np.flatnonzero(owners == group)
        if len(held):
            change = costs[:, held] - costs[group, held]
            moved[:, group], moves[:, group] = held[change.argmin(axis=1)], change.min(axis=1)
    np.fill_diagonal(moves, np.inf)
    after = np.full(groups, FREE)
    for _ in range(groups):
        through = moves + best
        better = through.min(axis=1) < best - _EPSILON
        if not better.any():
            break
        after[better] = through.argmin(axis=1)[better]
        best = np.where(better, through.min(axis=1), best)
    start = int(np.where(room > 0, best, np.inf).argmin())
    if room[start] <= 0 or not np.isfinite(best[start]):
        return []
    way = [start]
    while after[way[-1]] != FREE and len(way) <= groups:
        way.append(int(after[way[-1]]))
    between = pairwise(way)
    return [(one, int(moved[one, other])) for one, other in between] + [(way[-1], int(taken[way[-1]]))]


# Below what sums of floating numbers can tell apart; a cycle of nothing would never end.
_EPSILON: Final = 1e-9
