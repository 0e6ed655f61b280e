"""``dsmtc facts``: where facts come from besides the nodes, and what plans can choose by."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of
from dsmtc.rendering.facts import known_facts

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def facts(context: typer.Context) -> None:
    """List the sources of facts with their trouble, and all facts and labels that there are.

    Example: dsmtc facts
    """
    session = session_of(context)
    found = session.client.facts()
    session.out.answer(found, lambda: known_facts(found, session.client.now()))
