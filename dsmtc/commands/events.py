"""``dsmtc events``: what is said on PsEPR."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer

from dsmtc.client import EventRecord, Lost
from dsmtc.dispatch import session_of
from dsmtc.rendering.table import View
from dsmtc.rendering.views import event_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def events(  # noqa: PLR0913 - a verb's parameters are its options
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as they come")] = False,
    channel: Annotated[str, typer.Option(help="at or below this channel")] = "/",
    state: Annotated[str, typer.Option(help="only deployment-status of this state")] = "",
    field: Annotated[str, typer.Option(help="only this field")] = "",
    count: Annotated[int, typer.Option(help="end after so many", min=0)] = 0,
    timeout: Annotated[float | None, typer.Option(help="seconds; then exit code 7", min=0.0)] = None,
) -> None:
    """Show events, one a line; with --json one object a line.

    Example: dsmtc events --follow --channel /org/dsmt/ns/deployment/my_slice/ --state failed
    """
    session = session_of(context)
    filters = {"channel": channel, "state": state, "field": field, "follow": "1" if follow else ""}
    until = None if timeout is None else time.monotonic() + timeout
    for event in session.client.events(filters, count=count, until=until):
        session.out.record(event, partial(_view, event))


def _view(event: EventRecord | Lost) -> View:
    return [event_line(event, _clock)]


def _clock(sent_at: float) -> str:
    whole = time.strftime("%H:%M:%S", time.localtime(sent_at))
    return f"{whole}.{int(sent_at * 1000) % 1000:03d}"
