"""Answers about nodes out of service, and about disruption budgets, as types.

The names are those of ``docs/reference/protocol.md``, section 4. Times are seconds since the epoch.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Left(TypedDict):
    """A slice that has not left a node yet, and why."""

    slice: str
    reason: str


class Said(TypedDict):
    """Who wants it, since when, and why."""

    by: str
    since: float
    reason: str


class Exclusion(Said):
    """``at_once``: what runs there is stopped whatever the budget says."""

    at_once: bool


class Drain(Said):
    """``deadline``: until when the node should be empty; ``force``: what is left then is stopped."""

    deadline: float | None
    force: bool


class Window(Said):
    """A time in which people work on the node; ``every`` and ``lead`` are seconds."""

    begins: float
    ends: float
    every: float
    lead: float


class Standing(TypedDict):
    """How a node stands.

    Attributes:
        state: in service, cordoned, draining, drained, maintenance, excluded or distrusted.
        sentence: why, by whom, since when; empty in service.
        late: a drain is over its time.
        left: what is to leave and is still there.
        excluded, cordoned, drain, windows, distrusted: all that was said, also what does not hold now.
    """

    state: str
    sentence: str
    late: bool
    left: list[Left]
    excluded: NotRequired[Exclusion]
    cordoned: NotRequired[Said]
    drain: NotRequired[Drain]
    windows: NotRequired[list[Window]]
    distrusted: NotRequired[Said]


class Stood(TypedDict):
    """A node, how it stands, and whether what was said changed that."""

    host: str
    standing: Standing
    changed: NotRequired[bool]


class Budget(TypedDict):
    """The disruption budget of a slice, and what it allows now.

    Attributes:
        wanted: how many instances there would be if every node were well and in service.
        least: how many have to be up.
        up: how many are.
        allowance: how many may be taken down now.
        contradiction: why it leaves no room even when all is well; empty when it does.
    """

    slice: str
    budget: str
    is_default: bool
    wanted: int
    least: int
    up: int
    allowance: int
    contradiction: str
