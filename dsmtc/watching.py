"""Following a slice: asking every half second, showing what is different.

A planner that is away for a while does not end it: events are hints and so are answers; the next one
tells all. On a terminal the picture is redrawn in place, otherwise each change is one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from dsmt_core.errors import DeadlinePassed
from dsmtc.client import SliceStatus
from dsmtc.names import nearest
from dsmtc.polling import Asking, polled
from dsmtc.rendering.status import changes, said, status_view
from dsmtc.rendering.table import View
from dsmtc.session import Session


@dataclass(frozen=True, slots=True)
class Goal:
    """When to end.

    Attributes:
        running: so many instances run; None: never by itself.
        timeout_s: the longest to wait for that; None: for ever.
        node: only this host is shown; empty: all.
    """

    running: int | None
    timeout_s: float | None
    node: str = ""

    def reached(self, status: SliceStatus) -> bool:
        """Whether it is there."""
        return self.running is not None and status["running"] >= self.running


def once(session: Session, goal: Goal) -> None:
    """The status as it is now.

    Raises:
        NotFound: the slice is not on the node that is asked for.
    """
    status = _of(session.client.status(session.slice), goal)
    session.out.answer(status, partial(_view, session, status))


def until_running(session: Session, goal: Goal) -> None:
    """Wait quietly, then show the status.

    Raises:
        DeadlinePassed: not reached in time; the status is shown all the same.
    """
    last: list[SliceStatus] = []
    try:
        for status in _polled(session, goal):
            last[:] = [status]
    finally:
        for status in last:
            session.out.answer(status, partial(_view, session, status))


def watch(session: Session, goal: Goal) -> None:
    """Show the status as it changes.

    Raises:
        DeadlinePassed: the goal was not reached in time.
    """
    if session.out.drawn:
        _draw(session, goal)
        return
    before: SliceStatus | None = None
    for status in _polled(session, goal):
        if different := changes(before, status):
            session.out.record(status, partial(iter, different))
        before = status


def _draw(session: Session, goal: Goal) -> None:
    from rich.live import Live  # noqa: PLC0415 - 60 ms, and only on a terminal

    from dsmtc.rendering.terminal import console, drawn  # noqa: PLC0415

    with Live(console=console(), auto_refresh=False) as live:
        for status in _polled(session, goal):
            live.update(drawn(_view(session, status)), refresh=True)


def _polled(session: Session, goal: Goal) -> Iterator[SliceStatus]:
    """The status every half second, up to the one that reaches the goal."""
    slice_ = session.slice

    def late(last: SliceStatus | None) -> DeadlinePassed:
        return _late(goal, said(last) if last else "nothing is known")

    asking = Asking(lambda: _of(session.client.status(slice_), goal), goal.reached, late)
    return polled(session, asking, timeout_s=goal.timeout_s)


def _view(session: Session, status: SliceStatus) -> View:
    return status_view(status, session.client.now(), whole=session.out.form == "wide")


def _of(status: SliceStatus, goal: Goal) -> SliceStatus:
    if not goal.node:
        return status
    found = [host for host in status["hosts"] if host["host"] == goal.node]
    if not found:
        there = [host["host"] for host in status["hosts"]]
        raise nearest(goal.node, there, what=f"node of {status['slice']}")
    status["hosts"] = found
    status["silences"] = [one for one in status.get("silences", []) if one["host"] == goal.node]
    return status


def _late(goal: Goal, told: str) -> DeadlinePassed:
    if goal.running is None:
        return DeadlinePassed(f"{goal.timeout_s:g} s are over: {told}")
    return DeadlinePassed(
        f"not {goal.running} running within {goal.timeout_s:g} s: {told}",
        hint="dsmtc status tells what waits, and why",
    )
