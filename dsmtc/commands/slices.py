"""``dsmtc slices``: the slices that the caller may use."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of
from dsmtc.rendering.views import slices as view

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def slices(context: typer.Context) -> None:
    """List the slices that you may use.

    Example: dsmtc slices --json
    """
    session = session_of(context)
    found = session.client.slices()
    session.out.answer(found, lambda: view(found))
