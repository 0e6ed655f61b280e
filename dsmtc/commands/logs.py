"""``dsmtc logs``: what an application prints, wherever it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmt_core.calls import LINES_MOST
from dsmt_core.errors import Unavailable
from dsmtc.client.looked_in import LogLine
from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.followed_logs import followed
from dsmtc.output import Output
from dsmtc.rendering.text import clean

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# With a span of time all of it is meant.
_LINES, _MANY = 100, LINES_MOST


@app.command()
def logs(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    at: Annotated[str, typer.Argument(metavar="[NODE|PLAN]", help="else wherever it is placed")] = "",
    *,
    application: Annotated[str, typer.Option("--application", "-a", help="else the only one")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as they come")] = False,
    since: Annotated[str, typer.Option(help="only what is younger, such as 10m")] = "",
    lines: Annotated[
        int | None, typer.Option("-n", "--lines", help="the last so many of each node")
    ] = None,
    times: Annotated[bool, typer.Option("--times", "-t", help="when each was printed")] = False,
) -> None:
    """Show what an application prints, each line with its node; a node that does not answer is named.

    With --follow it goes on by itself where it ended when the planner was away.

    Example: dsmtc logs node1.example.org -f

    Example: dsmtc logs only3 --since 10m
    """
    session = session_of(context)
    which = named(session, application)
    most = lines if lines is not None else _MANY if since else _LINES
    since_s = seconds(since, "--since") if since else 0.0
    if follow:
        for line in followed(session, which, at=at, lines=most, since_s=since_s):
            _show(session.out, line, times=times)
        return
    silent: set[str] = set()
    for line in session.client.logs(session.slice, which, at=at, lines=most, since_s=since_s):
        if "trouble" in line:
            silent.add(line["host"])
        _show(session.out, line, times=times)
    if silent:
        raise Unavailable(f"not all of it: {', '.join(sorted(silent))}", hint="dsmtc nodes show NODE")


def _show(out: Output, line: LogLine, *, times: bool) -> None:
    if out.json:
        out.record(line, list)
    elif "trouble" in line:
        out.story(f"{line['host']}: {line['trouble']}")
    else:
        at = f"{line.get('at') or '-':<24} " if times else ""
        out.text(clean(f"{line['host']} | {at}{line.get('text', '')}"))
