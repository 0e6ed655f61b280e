"""``dsmtc channels``: where something is said on PsEPR, by whom, and what is silent."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.rendering import catalogue as views

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def channels(
    context: typer.Context,
    *,
    below: Annotated[str, typer.Option(help="at or below this channel")] = "/",
) -> None:
    """List the channels: what was heard there, and what should have been.

    Example: dsmtc channels --below /com/example/
    """
    session = session_of(context)
    found = session.client.channels(below)
    session.out.answer(found, lambda: views.channels(found, session.client.now()))
