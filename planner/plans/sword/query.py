"""What a SWORD query says, as values: groups, what each asks of a node, and of two nodes together.

SWORD: D. Oppenheimer, J. Albrecht, D. Patterson, A. Vahdat, "Design and Implementation Tradeoffs for
Wide-Area Resource Discovery", HPDC 2005. A value outside of the absolute range rules a node out; one
outside of the ideal range costs a penalty for each unit that it is away from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

import numpy as np

from planner.plans.ground import Numbers

# So that whatever a node tells, sums of penalties stay finite: infinite means ruled out.
_MOST: Final = 1e12


@dataclass(frozen=True, slots=True)
class Range:
    """Five numbers: the absolute range, the ideal one in it, the penalty for each unit outside of that."""

    abs_min: float
    ideal_min: float
    ideal_max: float
    abs_max: float
    penalty: float

    def costs(self, values: Numbers) -> Numbers:
        """The penalty of each value: infinite outside of the absolute range, not a number if not known."""
        away = np.clip(np.maximum(self.ideal_min - values, values - self.ideal_max), 0.0, _MOST)
        costs = np.minimum(min(self.penalty, _MOST) * away, _MOST)
        outside = (values < self.abs_min) | (values > self.abs_max)
        known: Numbers = np.where(outside, inf, costs)
        return known

    def __str__(self) -> str:
        return f"{_bound(self.abs_min)} to {_bound(self.abs_max)}"


@dataclass(frozen=True, slots=True)
class Choices:
    """Texts that are taken, each with its penalty; any other rules a node out."""

    penalties: Mapping[str, float]

    def __str__(self) -> str:
        return " or ".join(self.penalties)


class PairKind(StrEnum):
    """What two nodes can be asked to be to each other."""

    LATENCY = "latency"
    DISTANCE = "distance"
    SAME = "same"
    DIFFERENT = "different"


MEASURED: Final = frozenset({PairKind.LATENCY, PairKind.DISTANCE})


@dataclass(frozen=True, slots=True)
class Pair:
    """What two nodes are to be to each other.

    Attributes:
        kind: latency (ms), distance (km), or the same or different values of a fact.
        range: of what is measured.
        fact: whose values are compared.
    """

    kind: PairKind
    range: Range | None = None
    fact: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.fact or self.range}"


@dataclass(frozen=True, slots=True)
class Group:
    """So many nodes with the same requirements.

    Attributes:
        count: how many; None for all that qualify.
        attributes: by the name of the fact.
        pairs: what every two of them are to be to each other.
    """

    name: str
    count: int | None
    attributes: Mapping[str, Range | Choices]
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """What two groups are to be to each other.

    Of what is measured, some node of each has to satisfy it, as in SWORD; of same and different, all.

    Attributes:
        groups: two places in `Query.groups`.
    """

    groups: tuple[int, int]
    pair: Pair


@dataclass(frozen=True, slots=True)
class Query:
    """Groups without a node in common."""

    groups: tuple[Group, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def count(self) -> int | None:
        """How many machines it asks for; None for all that qualify."""
        counts = [group.count for group in self.groups if group.count is not None]
        return sum(counts) if len(counts) == len(self.groups) else None

    @property
    def is_simple(self) -> bool:
        """Whether no node matters to another one."""
        return len(self.groups) == 1 and not self.groups[0].pairs

    @property
    def facts(self) -> frozenset[str]:
        """The facts that it asks for; places on earth are asked for by two names and not among them."""
        names = {name for group in self.groups for name in group.attributes}
        pairs = [pair for group in self.groups for pair in group.pairs]
        pairs += [constraint.pair for constraint in self.constraints]
        return frozenset(names | {pair.fact for pair in pairs if pair.fact})


def _bound(number: float) -> str:
    return {inf: "max", -inf: "min"}.get(number) or f"{number:g}"
