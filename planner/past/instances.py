"""Instances over a time: of each application on each host, how it was while it was wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

from dsmt_core.names import Application, Host, Slice
from planner.past.passages import APPLICATION, AWAY, NODE, NOWHERE, PLANNER, WANTED, Passage

_RUNNING: Final = "running"
_FAILED: Final = "failed"


class Condition(StrEnum):
    """How an instance was.

    Attributes:
        RUNNING: as its agent said, on a node that had not failed.
        FAILED: the application, or its node.
        WAITING: on its way.
        UNKNOWN: nobody looked: the planner was away.
    """

    RUNNING = "running"
    FAILED = "failed"
    WAITING = "waiting"
    UNKNOWN = "unknown"


class Span(NamedTuple):
    """From when to when (seconds since the epoch) something was so."""

    begin: float
    end: float
    condition: Condition


@dataclass(frozen=True, slots=True)
class Instance:
    """An application on a host, over the time in which it was wanted to run there."""

    host: Host
    slice: Slice
    application: Application
    spans: tuple[Span, ...]


def instances(passages: Iterable[Passage], begin: float, end: float) -> list[Instance]:
    """Every instance that was wanted between two moments.

    Args:
        passages: the last of each part at ``begin``, and all until ``end``, in order of time.
        begin: seconds since the epoch.
        end: the same.
    """
    courses: dict[tuple[Host, Slice], dict[str, list[tuple[float, str]]]] = {}
    for one in passages:
        place = courses.setdefault((one.host, one.slice), {})
        place.setdefault(one.part, []).append((one.at, one.state))
    planner = courses.get(NOWHERE, {}).get(PLANNER, [])
    found = []
    for (host, slice_), parts in courses.items():
        node = courses.get((host, Slice("")), {}).get(NODE, [])
        for part, wanted in parts.items():
            if not part.startswith(WANTED):
                continue
            name = Application(part.removeprefix(WANTED))
            course = parts.get(APPLICATION + name, [])
            spans = tuple(_spans((wanted, course, node, planner), begin, end))
            if spans:
                found.append(Instance(host, slice_, name, spans))
    return sorted(found, key=lambda one: (one.slice, one.application, one.host))


def _spans(courses: Sequence[Sequence[tuple[float, str]]], begin: float, end: float) -> Iterator[Span]:
    """The stretches in which it was wanted, each as long as nothing changed."""
    told = [
        (max(at, begin), which, state)
        for which, course in enumerate(courses)
        for at, state in course
        if at < end
    ]
    # Of the same moment each course keeps its order.
    changes = sorted(told, key=itemgetter(0))
    now = ["", "", "", ""]
    open_: Span | None = None
    for place, (at, which, state) in enumerate(changes):
        now[which] = state
        if place + 1 < len(changes) and changes[place + 1][0] == at:
            continue
        condition = _condition(*now)
        if open_ is not None and open_.condition is condition:
            continue
        if open_ is not None and at > open_.begin:
            yield open_._replace(end=at)
        open_ = None if condition is None else Span(at, end, condition)
    if open_ is not None and end > open_.begin:
        yield open_


def _condition(wanted: str, application: str, node: str, planner: str) -> Condition | None:
    if wanted != _RUNNING:
        return None
    if planner == AWAY:
        return Condition.UNKNOWN
    if _FAILED in {node, application}:
        return Condition.FAILED
    return Condition.RUNNING if application == _RUNNING else Condition.WAITING
