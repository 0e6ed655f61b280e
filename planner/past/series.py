"""How many instances were how, at moments of a time: what a chart shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from planner.past.instances import Condition, Instance


@dataclass(frozen=True, slots=True)
class Sample:
    """How many instances were how at a moment (seconds since the epoch)."""

    at: float
    running: int
    failed: int
    waiting: int
    unknown: int


def series(found: Iterable[Instance], begin: float, end: float, points: int) -> list[Sample]:
    """Samples at equal distances, the first at ``begin`` and the last at ``end``.

    Args:
        found: the instances.
        begin: seconds since the epoch.
        end: the same.
        points: how many; at least 2.
    """
    step = (end - begin) / (points - 1)
    # Where a count rises and falls, point by point.
    changes = {condition: [0] * (points + 1) for condition in Condition}
    for one in found:
        for span in one.spans:
            first = math.ceil(round((span.begin - begin) / step, 9))
            behind = math.ceil(round((span.end - begin) / step, 9))
            # What lasts until the end is so at the end.
            behind = points if span.end >= end else behind
            if first < behind:
                changes[span.condition][max(first, 0)] += 1
                changes[span.condition][min(behind, points)] -= 1
    samples, count = [], dict.fromkeys(Condition, 0)
    for point in range(points):
        for condition in Condition:
            count[condition] += changes[condition][point]
        samples.append(Sample(begin + point * step, **{each.value: count[each] for each in Condition}))
    return samples
