"""The planner's answers about what a change would set in motion, as types."""

from __future__ import annotations

from typing import TypedDict


class Motion(TypedDict):
    """How many hosts begin, end, and begin in the place of another."""

    start: int
    stop: int
    move: int


class Touched(TypedDict):
    """One host that would be touched.

    Attributes:
        does: what happens there: ``start`` or ``stop``.
        step: 1 at once; 2 when what step 1 ends has ended, and so on.
        replaces: the host in whose place it begins; empty when in none's.
        waits: why nothing goes out to it yet; empty when nothing is waited for.
        reason, plan, function: why the plan has it in or out, and what decided.
    """

    host: str
    does: str
    step: int
    replaces: str
    waits: str
    reason: str
    plan: str
    function: str


class HeldBack(TypedDict):
    """What would be held back, and why; host and application are empty when it concerns all."""

    host: str
    application: str
    reason: str


class Preview(Motion):
    """What a change would set in motion.

    Attributes:
        index: of what this rests on; a change with it is refused when that is so no longer.
        stay: hosts that keep what they have.
        missing: how many hosts the plan asks for and does not find.
        touched: in the order in which the planner would touch them.
        waiting: what would be held back.
    """

    index: str
    stay: int
    missing: int
    touched: list[Touched]
    waiting: list[HeldBack]


class Leaver(TypedDict):
    """A host that is held back, and why its plan gives it up."""

    host: str
    reason: str
    plan: str
    function: str


class ToAgree(TypedDict):
    """What goes when people agree; the index is empty when nothing waits."""

    slice: str
    index: str
    hosts: list[Leaver]
