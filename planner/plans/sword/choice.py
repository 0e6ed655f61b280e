"""Choosing the nodes of a SWORD query: exact where no node matters to another, else by a bounded search.

Who is in and still fits stays; what is missing is taken from the living, then from the doubtful, then from
the failed, each time with the least penalty, and among equals by lot.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from planner.plans.draw import filled, turns_of
from planner.plans.function import Call
from planner.plans.ground import Mask, Numbers, Rows
from planner.plans.selection import Part
from planner.plans.sword.assignment import FREE
from planner.plans.sword.fits import fits
from planner.plans.sword.pairs import Pairs
from planner.plans.sword.problem import Problem
from planner.plans.sword.query import Query
from planner.plans.sword.search import LOOKS, Found, search

# A beginning of the search looks at each candidate once for each machine.
_SHARE: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen.

    Attributes:
        groups: the group of each row of the ground, or `FREE`.
        penalties: of each row in each group, (groups, rows); infinite where it cannot be of it.
        penalty: of all that are chosen, pairs included.
        exact: whether no choice is better.
        least: of one that is not exact: no choice that is as full, and moves as little, costs less; None
            when there may be one that is fuller, or moves less.
    """

    groups: Rows
    penalties: Numbers
    penalty: float = 0.0
    exact: bool = True
    least: float | None = None

    @property
    def mask(self) -> Mask:
        """The rows of all groups."""
        chosen: Mask = self.groups != FREE
        return chosen


def choose(call: Call, query: Query, parent: Part) -> Choice:
    """The choice of a query among the hosts of ``parent``."""
    world = call.world
    rows = np.flatnonzero(parent.mask)
    penalties = np.full((len(query.groups), len(world.ground)), inf)
    for number, group in enumerate(query.groups):
        penalties[number, rows] = fits(group, world.ground, rows, world.staying[rows])
    if query.is_simple:
        return _simple(call, query, parent, penalties)
    return _searched(call, query, penalties)


def _simple(call: Call, query: Query, parent: Part, penalties: Numbers) -> Choice:
    fit = np.flatnonzero(np.isfinite(penalties[0]))
    count = len(fit) if query.count is None else query.count
    groups = np.full(len(call.world.ground), FREE)
    if len(fit) > count:
        turns, costs = turns_of(call.world, fit), penalties[0, fit]
        order = np.lexsort((costs, turns))
        last = order[count - 1]
        alike = turns == turns[last]
        before = (turns < turns[last]) | (alike & (costs < costs[last]))
        tied = alike & (costs == costs[last])
        fit = filled(call, fit[before], fit[tied], count, parent.preference)
    groups[fit] = 0
    return Choice(groups, penalties, float(penalties[0, fit].sum()))


def _searched(call: Call, query: Query, penalties: Numbers) -> Choice:
    world = call.world
    groups = np.full(len(world.ground), FREE)
    rows = np.flatnonzero(np.isfinite(penalties).any(axis=0))
    # In the order of the lots: whoever takes the first of equals takes it by lot.
    rows = rows[np.argsort(world.lots(call.plan, rows))]
    if not len(rows):
        return Choice(groups, penalties)
    count = query.count or 0
    members = rows[world.members[rows]]
    found = _found(call, query, penalties, members) if len(members) == count else None
    if found is not None and found.worth.missing == 0:
        # Every other choice moves more: a service that is as it should be costs no search in each round.
        rows = members
    else:
        rows = rows[_promising(penalties[:, rows], turns_of(world, rows), count)]
        found = _found(call, query, penalties, rows)
    groups[rows] = found.owners
    level = (found.worth.missing, found.worth.moved) == (found.bound.missing, found.bound.moved)
    least = found.bound.penalty if level else None
    return Choice(groups, penalties, found.worth.penalty, found.exact, least)


def _found(call: Call, query: Query, penalties: Numbers, rows: Rows) -> Found:
    """The best choice among some rows that can be found."""
    pairs = Pairs(call.world.ground, rows, call.world.staying[rows])
    turns = turns_of(call.world, rows).astype(np.float64)
    return search(Problem.of_nodes(query, penalties[:, rows], turns, pairs))


def _promising(penalties: Numbers, turns: Rows, count: int) -> Rows:
    """The places of the best of each group, as many as the search can look at."""
    most = max(2 * count, LOOKS // (_SHARE * max(count, 1)))
    if penalties.shape[1] <= most:
        return np.arange(penalties.shape[1])
    kept = [np.lexsort((of_group, turns))[:most] for of_group in penalties]
    return np.unique(np.concatenate(kept))
