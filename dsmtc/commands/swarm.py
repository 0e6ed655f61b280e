"""``dsmtc swarm``: a simulated fleet. It is a program of its own; this verb becomes it."""

from __future__ import annotations

import os
import sys

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def swarm(context: typer.Context) -> None:
    """Let many simulated nodes join a planner, its own or one that runs, to see what it costs.

    Example: dsmtc swarm --nodes 300 --kill 10
    """
    session = session_of(context)
    if session.clients:
        raise Misused("swarm cannot be started inside a shell")
    # What is common to all verbs was taken out of the words before.
    common = ["--planner", session.common.planner] if session.common.planner else []
    common += ["--json"] if session.out.json else []
    # exec and not a child: then signals, terminal and exit code are the swarm's own.
    os.execv(sys.executable, [sys.executable, "-m", "lab.swarm", *common, *context.args])  # noqa: S606
