"""``dsmtc broker``: where a program of one's own connects to PsEPR."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def broker(context: typer.Context) -> None:
    """Print the URL, password included, with which an operator's program connects to PsEPR.

    Example: dsmtc broker
    """
    session = session_of(context)
    url = session.client.broker()
    session.out.answer({"broker": url}, lambda: [url])
