"""The end of slices: warned of before, and after a grace time deleted. Pure.

A slice whose end has passed goes on: only the end of the grace time deletes it. By the clock that end has
come, and for the whole grace time a planner has really run since it told people so: a planner whose
clock is weeks ahead warns for nothing, and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from dsmt_core.errors import Invalid
from dsmt_core.names import Slice

DAY_S: Final = 86_400.0
GRACE_S: Final = 7 * DAY_S
SOON_S: Final = 7 * DAY_S
LAST_S: Final = DAY_S
MOST_S: Final = 366 * DAY_S
LEAST_S: Final = 60.0


class Stage(StrEnum):
    """How near the end of a slice is."""

    FAR = "far"
    SOON = "soon"
    LAST = "last day"
    OVER = "expired"
    GONE = "to be deleted"


@dataclass(frozen=True, slots=True)
class Due:
    """What a round finds: of whom people are to be told, and what is to be deleted."""

    tell: tuple[Slice, ...] = ()
    delete: tuple[Slice, ...] = ()


class Warned(NamedTuple):
    """Of which end people are warned, and for how many seconds a planner has run since."""

    end: float
    seconds: float = 0.0


def stage(expires_at: float, now: float, grace: float = GRACE_S) -> Stage:
    """How near the end is; times are seconds since the epoch, ``grace`` seconds."""
    left = expires_at - now
    if left <= -grace:
        return Stage.GONE
    if left <= 0:
        return Stage.OVER
    if left <= LAST_S:
        return Stage.LAST
    return Stage.SOON if left <= SOON_S else Stage.FAR


def due(
    ends: Mapping[Slice, float],
    told: Mapping[Slice, tuple[float, Stage]],
    warned: Mapping[Slice, Warned],
    *,
    now: float,
    grace: float,
) -> Due:
    """What is to be told and deleted now.

    Args:
        ends: until when slices are wanted.
        told: of which end, and how near, people were told last.
        warned: for how long they have been warned of an end that has passed.
        now: seconds since the epoch.
        grace: seconds from the end of a slice until it is deleted.
    """
    stages = {name: stage(at, now, grace) for name, at in ends.items()}
    new = [
        name
        for name, at in ends.items()
        if stages[name] is not Stage.FAR and told.get(name) != (at, stages[name])
    ]
    # One round later than it was told at the latest.
    gone = [
        name
        for name, at in ends.items()
        if told.get(name) == (at, Stage.GONE)
        and name not in new
        and _was_warned(warned.get(name), at, grace)
    ]
    return Due(tuple(sorted(new)), tuple(sorted(gone)))


def warned_on(
    warned: Mapping[Slice, Warned],
    ends: Mapping[Slice, float],
    told: Mapping[Slice, tuple[float, Stage]],
    *,
    now: float,
    passed: float,
) -> dict[Slice, Warned]:
    """For how long people have been warned, when the planner has run for ``passed`` seconds more.

    Counted is an end that has passed, once people were told so in this run. One that was moved begins anew,
    and so does one that has not passed after all, as when a clock was put right.
    """
    after: dict[Slice, Warned] = {}
    for name, at in ends.items():
        if at > now:
            continue
        known = warned.get(name)
        known = known if known is not None and known.end == at else Warned(at)
        is_told = told.get(name) in {(at, Stage.OVER), (at, Stage.GONE)}
        after[name] = Warned(at, known.seconds + max(0.0, passed)) if is_told else known
    return after


def _was_warned(warned: Warned | None, at: float, grace: float) -> bool:
    return warned is not None and warned.end == at and warned.seconds >= grace


def end_of(lasts_s: float | None, now: float) -> float | None:
    """When a slice ends that is wanted for so many seconds from now; None: it stays.

    Raises:
        Invalid: it is less than a minute or more than a year.
    """
    if lasts_s is None:
        return None
    if not LEAST_S <= lasts_s <= MOST_S:
        raise Invalid("a slice is wanted for a minute to 366 days", hint="such as 90d")
    return now + lasts_s
