"""Choosing for several groups, or where nodes matter to each other: what is asked for, and what it costs.

One number compares two choices: first how many machines are missing, then how much it moves (who is in
stays, the living come before the doubtful and these before the failed), then the penalties.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from planner.plans.ground import Numbers
from planner.plans.sword.assignment import Owners
from planner.plans.sword.pairs import Pairs
from planner.plans.sword.query import MEASURED, Constraint, Pair, Query


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be chosen.

    Attributes:
        query: which groups.
        penalties: of each node in each group, (groups, nodes); infinite where it cannot be of it.
        turns: how much each node is to be avoided for another reason, before any penalty.
        costs: both in one number, (groups, nodes).
        pairs: of the same nodes.
    """

    query: Query
    penalties: Numbers
    turns: Numbers
    costs: Numbers
    pairs: Pairs

    @classmethod
    def of_nodes(cls, query: Query, penalties: Numbers, turns: Numbers, pairs: Pairs) -> Problem:
        """The same; a turn weighs more than all penalties of a choice together."""
        greatest = float(penalties[np.isfinite(penalties)].max(initial=0.0))
        weight = 1.0 + greatest * (query.count or 0)
        return cls(query, penalties, turns, penalties + weight * turns, pairs)

    @property
    def counts(self) -> list[int]:
        """How many nodes each group is to have."""
        return [group.count or 0 for group in self.query.groups]

    def of(self, group: int) -> tuple[Constraint, ...]:
        """The constraints of a group."""
        return tuple(one for one in self.query.constraints if group in one.groups)


@dataclass(frozen=True, slots=True, order=True)
class Worth:
    """What a choice is worth; less is better."""

    missing: int
    moved: float
    penalty: float


def worth(problem: Problem, owners: Owners) -> Worth | None:
    """What a choice is worth; None when two of its nodes may not be in it together."""
    penalty = moved = 0.0
    held = [np.flatnonzero(owners == group) for group in range(len(problem.counts))]
    for group, nodes in enumerate(held):
        moved += float(problem.turns[nodes].sum())
        penalty += float(problem.penalties[group, nodes].sum())
        for pair in problem.query.groups[group].pairs:
            penalty += _within(problem.pairs, pair, nodes)
    for constraint in problem.query.constraints:
        one, other = (held[group] for group in constraint.groups)
        if len(one) and len(other):
            penalty += between(problem.pairs, constraint.pair, one, other)
    missing = sum(problem.counts) - sum(map(len, held))
    return None if penalty == inf else Worth(missing, moved, penalty)


def _within(pairs: Pairs, pair: Pair, nodes: Owners) -> float:
    rest = [(place, nodes[at + 1 :]) for at, place in enumerate(nodes.tolist())]
    return sum(float(pairs.costs(pair, place, others).sum()) for place, others in rest)


def between(pairs: Pairs, pair: Pair, one: Owners, other: Owners) -> float:
    """What two groups cost together: of what is measured the best pair, otherwise all of them."""
    costs = np.array([pairs.costs(pair, place, other) for place in one.tolist()])
    return float(costs.min() if pair.kind in MEASURED else costs.sum())
