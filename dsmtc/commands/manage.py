"""``dsmtc manage`` and ``dsmtc unmanage``: whether DSMT looks after a slice."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def manage(context: typer.Context) -> None:
    """Put an existing slice under management; one that is managed already stays so.

    Example: dsmtc manage --slice SLICENAME
    """
    session = session_of(context)
    answer = session.client.manage(session.slice)
    told = "is managed now" if answer["changed"] else "was managed already"
    session.out.answer(answer, lambda: [f"slice {answer['slice']} {told}"])


@app.command()
def unmanage(context: typer.Context) -> None:
    """Leave a slice alone from now on: no orders at all; what runs goes on.

    Example: dsmtc unmanage --slice SLICENAME
    """
    session = session_of(context)
    answer = session.client.unmanage(session.slice)
    told = "is left alone from now on" if answer["changed"] else "was not managed"
    session.out.answer(answer, lambda: [f"slice {answer['slice']} {told}"])
