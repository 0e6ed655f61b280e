"""``dsmtc renew``: for how long a slice is wanted."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.rendering.authority import slice_view

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_FOREVER = frozenset({"ever", "always"})


@app.command()
def renew(
    context: typer.Context,
    *,
    lasts: Annotated[
        str, typer.Option("--for", metavar="TIME", help="from now; or ever (pi, admin)")
    ] = "90d",
) -> None:
    """Say for how long a slice is wanted from now on; a week after its end it is deleted.

    Example: dsmtc renew --slice SLICENAME --for 90d
    """
    session = session_of(context)
    name = session.slice
    found = session.client.renew(name, None if lasts in _FOREVER else seconds(lasts, "--for"))
    session.out.answer(found, lambda: slice_view(found, session.client.now()))
