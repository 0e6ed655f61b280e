"""``dsmtc availability``: which share of the time what was wanted ran."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.rendering import past as views

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_GROUPS = ("application", "node", "site")


@app.command()
def availability(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="how long back, such as 7d")] = "1d",
    until: Annotated[str, typer.Option(metavar="TIME", help="so long ago it ends; else now")] = "0s",
    by: Annotated[str, typer.Option(help="what is told of together: application, node or site")] = (
        "application"
    ),
    application: Annotated[str, typer.Option(help="only of this one")] = "",
    every_slice: Annotated[bool, typer.Option("--all", help="of all slices that you may see")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="write it as CSV, too")] = None,
) -> None:
    """Show which share of the time in which instances were wanted they ran, the worst first.

    Times in which the planner was away count neither way.

    Example: dsmtc availability --since 30d --by site

    Example: dsmtc availability --all --since 7d --csv week.csv
    """
    if by not in _GROUPS:
        raise Misused(f"--by {by[:40]!r} is none of {', '.join(_GROUPS)}")
    session = session_of(context)
    # A time that is counted back from now is counted by the planner's clock, which has to be heard first.
    session.client.freshen()
    now = session.client.now()
    found = session.client.availability(
        since=now - seconds(since, "--since"),
        until=now - seconds(until, "--until"),
        by=by,
        slice_="" if every_slice else session.slice,
        application=application,
    )
    if csv is not None:
        csv.write_text(views.as_csv(found))
    session.out.answer(found, lambda: views.availability(found))
