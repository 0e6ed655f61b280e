"""``dsmtc broker``: where a program of one's own connects to PsEPR."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def broker(context: typer.Context) -> None:
    """Print the URL, password included, with which a program connects to PsEPR.

    An operator's, who hears all slices; with --slice that of its members' programs, who hear that one.

    Example: dsmtc broker --slice my_slice
    """
    session = session_of(context)
    url = session.client.broker(session.named_slice)
    session.out.answer({"broker": url}, lambda: [url])
