"""``dsmtc budget``: how much of a slice has to stay up, whatever the planner does by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.rendering.standings import budget as view

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def budget(  # noqa: PLR0913 - one option a choice
    context: typer.Context,
    slice_: Annotated[str | None, typer.Argument(metavar="[SLICE]", help="else --slice")] = None,
    *,
    keep: Annotated[str, typer.Option(metavar="N|N%", help="so many, or so much, stays up")] = "",
    most: Annotated[str, typer.Option("--max-unavailable", metavar="N|N%", help="may be down")] = "",
    default: Annotated[bool, typer.Option("--default", help="10 %, or one at a time, may be down")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only tell what it would allow; 1: it is another one")
    ] = False,
) -> None:
    """Show or choose how much of a slice has to stay up while drains and roll-outs go on.

    Example: dsmtc budget my_slice --keep 80%
    """
    session = session_of(context)
    if sum(map(bool, (keep, most, default))) > 1:
        raise Misused("one of --keep, --max-unavailable and --default")
    name = slice_ or session.slice
    client = session.client
    if not (keep or most or default):
        found = client.budget(name)
        session.out.answer(found, lambda: view(found))
        return
    text = f"keep {keep}" if keep else f"max-unavailable {most}" if most else ""
    found = client.preview_budget(name, text) if dry_run else client.set_budget(name, text)
    session.out.answer(found, lambda: [*view(found), *(["nothing was changed"] if dry_run else [])])
    if dry_run and found["budget"] != client.budget(name)["budget"]:
        raise typer.Exit(1)
