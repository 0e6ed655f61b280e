"""``dsmtc dev``: a little world on this machine. It is a program of its own; this verb becomes it."""

from __future__ import annotations

import os
import sys

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dev(context: typer.Context) -> None:
    """Start a broker, a planner and some nodes here, open the shell, and end all of it on exit.

    Example: dsmtc dev
    """
    if session_of(context).clients:
        raise Misused("dev cannot be started inside a shell")
    # exec and not a child: then signals, terminal and exit code are the world's own.
    os.execv(sys.executable, [sys.executable, "-m", "lab.dev", *context.args])  # noqa: S606
