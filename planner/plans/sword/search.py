"""A bounded search where nodes matter to each other: the best it found, and how good it can be at most.

Greedy beginnings from many nodes, then exchanges of one node for another. Which nodes go together is as
hard as finding a clique, so the search ends after so many looks at a node, whatever the clock says: the
same question has the same answer everywhere. The bound is the exact answer if nodes did not matter to each
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from planner.plans.ground import Numbers
from planner.plans.sword.assignment import FREE, Owners, assign
from planner.plans.sword.problem import Problem, Worth, worth
from planner.plans.sword.query import MEASURED, Constraint

LOOKS: Final = 8_000_000
"""How many times a node is looked at: half a second or so."""
BEGINNINGS: Final = 48
_ROUNDS: Final = 4
_EPSILON: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Found:
    """A choice.

    Attributes:
        owners: the group of each node, or `FREE`.
        worth: of the choice.
        bound: no choice is worth less.
    """

    owners: Owners
    worth: Worth
    bound: Worth

    @property
    def exact(self) -> bool:
        """Whether no choice is better."""
        mine, least = self.worth, self.bound
        same = (mine.missing, mine.moved) == (least.missing, least.moved)
        return same and mine.penalty <= least.penalty + _EPSILON * max(1.0, abs(least.penalty))


def search(problem: Problem) -> Found:
    """The best choice that can be found."""
    relaxed = assign(problem.costs, problem.counts)
    best = Found(*_valued(problem, relaxed, np.full_like(relaxed, FREE)), _bound(problem, relaxed))
    looks = _Looks(problem)
    for order, anchor in looks.beginnings():
        if best.exact or not looks.left:
            break
        owners = looks.exchanged(looks.begun(order, anchor))
        found = worth(problem, owners)
        if found is not None and found < best.worth:
            best = Found(owners, found, best.bound)
    return best


def _valued(problem: Problem, owners: Owners, nobody: Owners) -> tuple[Owners, Worth]:
    found = worth(problem, owners)
    if found is not None:
        return owners, found
    return nobody, Worth(sum(problem.counts), 0.0, 0.0)


def _bound(problem: Problem, relaxed: Owners) -> Worth:
    held = np.flatnonzero(relaxed != FREE)
    penalty = problem.penalties[relaxed[held], held].sum()
    missing = sum(problem.counts) - len(held)
    return Worth(missing, float(problem.turns[held].sum()), float(penalty))


class _Looks:
    """One search; it counts how many nodes it looked at."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._nodes = problem.costs.shape[1]
        self._looked = 0

    @property
    def left(self) -> bool:
        return self._looked < LOOKS

    def beginnings(self) -> list[tuple[list[int], int]]:
        """In which order groups are filled, and with which node the first of them begins."""
        costs = self._problem.costs
        scarce = [int(np.isfinite(of_group).sum()) for of_group in costs]
        order = sorted(range(len(costs)), key=scarce.__getitem__)
        begun = []
        for turn in range(BEGINNINGS):
            shift = turn % len(order)
            rotated = order[shift:] + order[:shift]
            anchors = np.argsort(costs[rotated[0]], kind="stable")[: scarce[rotated[0]]]
            # Every other one from the cheapest on, every other one from all over.
            step = turn // len(order)
            place = step // 2 if step % 2 == 0 else step * len(anchors) // BEGINNINGS
            if place < len(anchors):
                begun.append((rotated, int(anchors[place])))
        return begun

    def begun(self, order: list[int], anchor: int) -> Owners:
        """A choice that begins with one node and takes the cheapest each time."""
        owners = np.full(self._nodes, FREE)
        for group in order:
            costs, gate = self._open_to(group, owners)
            if group == order[0]:
                gate[np.arange(self._nodes) != anchor] = inf
            for _ in range(self._problem.counts[group]):
                with_gate = costs + gate
                node = int(with_gate.argmin())
                if with_gate[node] == inf:
                    break
                owners[node], costs[node], gate = group, inf, np.zeros(self._nodes)
                costs += self._beside(group, node)
        return owners

    def exchanged(self, owners: Owners) -> Owners:
        """The choice after exchanges of one node for a better one."""
        for _ in range(_ROUNDS):
            before = owners.copy()
            for node in np.flatnonzero(owners != FREE).tolist():
                if self.left:
                    owners = self._exchanged_one(owners, node)
            if (owners == before).all():
                break
        return owners

    def _exchanged_one(self, owners: Owners, node: int) -> Owners:
        group = int(owners[node])
        without = owners.copy()
        without[node] = FREE
        costs, gate = self._open_to(group, without)
        for other in np.flatnonzero(without == group).tolist():
            costs += self._beside(group, other)
        # Others of the group may be what a constraint needs; who is asked for is the node alone at first.
        other = int((costs if (without == group).any() else costs + gate).argmin())
        if other == node or costs[other] >= costs[node] - _EPSILON:
            return owners
        changed = without
        changed[other] = group
        self._looked += self._problem.costs.shape[1]
        new, old = worth(self._problem, changed), worth(self._problem, owners)
        return changed if new is not None and (old is None or new < old) else owners

    def _open_to(self, group: int, owners: Owners) -> tuple[Numbers, Numbers]:
        """What each free node costs in a group beside the others, and what the first one costs more."""
        problem = self._problem
        costs = np.where(owners == FREE, problem.costs[group], inf)
        gate = np.zeros(self._nodes)
        for constraint in problem.of(group):
            held = np.flatnonzero(owners == _other(constraint, group))
            if not len(held):
                continue
            together = np.array([self._pair(constraint, place) for place in held.tolist()])
            if constraint.pair.kind in MEASURED:
                gate += together.min(axis=0)
            else:
                costs += together.sum(axis=0)
        return costs, gate

    def _beside(self, group: int, node: int) -> Numbers:
        costs = np.zeros(self._nodes)
        for pair in self._problem.query.groups[group].pairs:
            costs += self._problem.pairs.costs(pair, node)
            self._looked += self._nodes
        return costs

    def _pair(self, constraint: Constraint, place: int) -> Numbers:
        self._looked += self._nodes
        return self._problem.pairs.costs(constraint.pair, place)


def _other(constraint: Constraint, group: int) -> int:
    one, other = constraint.groups
    return other if group == one else one
