"""Following a roll-out to its end: drawn on a terminal, one line a change elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dsmt_core.errors import DeadlinePassed, Undone
from dsmtc.client.rolled import Rollout
from dsmtc.polling import Asking, polled
from dsmtc.rendering.rollouts import progress, shown
from dsmtc.session import Session


def follow(session: Session, application: str, *, timeout_s: float | None = None) -> None:
    """Show a roll-out until it is done.

    Raises:
        Undone: it went back, or was aborted.
        DeadlinePassed: the time is over first.
    """
    last: list[Rollout] = []
    draw = session.out.drawn
    states = _states(session, application, timeout_s)
    for rollout in _drawn(states) if draw else _told(session, states):
        last[:] = [rollout]
    for rollout in last:
        if rollout["phase"] != "done":
            raise Undone(
                f"roll-out {rollout['number']} of {application} is {rollout['phase']}: {rollout['reason']}",
                hint=f"dsmtc rollout status {application} shows which hosts failed, and why",
            )


def _states(session: Session, application: str, timeout_s: float | None) -> Iterator[Rollout]:
    slice_ = session.slice

    def late(rollout: Rollout | None) -> DeadlinePassed:
        said = progress(rollout) if rollout else "nothing is known"
        over = f"{timeout_s:g} s are over: {said}"
        return DeadlinePassed(over, hint="dsmtc rollout status tells what waits")

    asking = Asking(
        lambda: session.client.rollout(slice_, application), lambda one: not one["active"], late
    )
    return polled(session, asking, timeout_s=timeout_s)


def _drawn(states: Iterator[Rollout]) -> Iterator[Rollout]:
    from rich.live import Live  # noqa: PLC0415 - 60 ms, and only on a terminal

    from dsmtc.rendering.terminal import console, drawn  # noqa: PLC0415

    with Live(console=console(), auto_refresh=False) as live:
        for rollout in states:
            live.update(drawn(shown(rollout)), refresh=True)
            yield rollout


def _told(session: Session, states: Iterator[Rollout]) -> Iterator[Rollout]:
    before = ""
    for rollout in states:
        line = f"{progress(rollout)}; {'; '.join(rollout.get('waits', [])) or rollout['reason']}"
        if line != before:
            session.out.record(rollout, partial(iter, [line]))
        before = line
        yield rollout
