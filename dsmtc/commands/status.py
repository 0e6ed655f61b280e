"""``dsmtc status``: how a slice is, once or as it changes."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.watching import Goal, once, until_running, watch

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--watch", "-w", help="go on as it changes")] = False,
    until: Annotated[
        int | None, typer.Option("--until-running", metavar="N", help="end when N instances run", min=0)
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="seconds; then exit code 7", min=0.0)] = None,
    node: Annotated[str, typer.Option(metavar="HOST", help="only this one of its hosts")] = "",
) -> None:
    """Show how the slice is, what is done now and what waits, then each host, layer by layer.

    Of more than 40 hosts those that are well are counted only; -o wide shows all.

    Example: dsmtc status

    Example: dsmtc status --node node1.example.org --watch

    Example: dsmtc status --until-running 3 --timeout 60
    """
    session = session_of(context)
    goal = Goal(until, timeout, node)
    if follow:
        watch(session, goal)
    elif until is not None:
        until_running(session, goal)
    else:
        once(session, goal)
