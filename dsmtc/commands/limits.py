"""``dsmtc limits``: what the applications of a slice may use on each of its nodes."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.rendering.limits import limits as view

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def limits(  # noqa: PLR0913 - one option a limit
    context: typer.Context,
    *,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="such as 256M")] = None,
    cpu: Annotated[str | None, typer.Option(metavar="CORES", help="such as 0.5")] = None,
    processes: Annotated[str | None, typer.Option(metavar="N", help="threads count, too")] = None,
    disk: Annotated[str | None, typer.Option(metavar="SIZE", help="such as 1G")] = None,
    files: Annotated[str | None, typer.Option(metavar="N", help="open, of each process")] = None,
    network: Annotated[str | None, typer.Option(metavar="host|none|own", help="of the sliver")] = None,
    root: Annotated[str | None, typer.Option(metavar="NAME|FILE|node", help="root file system")] = None,
) -> None:
    """Show the limits of a slice's slivers, or set those that are named (pi, admin); 0 takes one away.

    Example: dsmtc limits --slice SLICENAME --memory 256M --cpu 0.5 --processes 100
    """
    session = session_of(context)
    asked = {
        "memory": memory,
        "cpu": cpu,
        "processes": processes,
        "disk": disk,
        "files": files,
        "network": network,
        "root": root,
    }
    texts = {name: text for name, text in asked.items() if text is not None}
    name = session.slice
    found = session.client.set_limits(name, texts) if texts else session.client.limits(name)
    session.out.answer(found, lambda: view(found))
