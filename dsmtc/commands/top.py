"""``dsmtc top``: the fleet as a full-screen page."""

from __future__ import annotations

import sys

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def top(context: typer.Context) -> None:
    """Show the fleet, or with --slice a slice on it, as a page that is kept current.

    Keys: / filter, s sort, r reverse, Enter a node, p pause, Esc all, q quit.

    Example: dsmtc top

    Example: dsmtc top --slice my_slice
    """
    session = session_of(context)
    if session.out.form or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Misused("top is a page for a terminal", hint="dsmtc status --watch, or dsmtc nodes --json")
    from dsmtc.top.feed import follow  # noqa: PLC0415 - textual takes 200 ms, and only here
    from dsmtc.top.page import Top  # noqa: PLC0415

    slice_ = session.named_slice
    # What is wrong at once is an error as everywhere, and no page.
    session.client.whoami()
    if slice_:
        session.client.slice(slice_)
    # A connection of its own: a thread asks by it, and the shell may go on before that has ended.
    client = Session(session.common, session.environment, session.words, {}, session.typed).client
    Top(
        lambda shown, trouble: follow(client, slice_, shown, trouble).set,
        f"dsmtc top  {session.planner}",
    ).run()
