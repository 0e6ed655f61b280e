"""``dsmtc services``: who speaks on PsEPR, and whether it does as it said."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmt_core.errors import Conflict
from dsmtc.dispatch import session_of
from dsmtc.rendering import catalogue as views

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def services(
    context: typer.Context,
    *,
    check: Annotated[bool, typer.Option("--check", help="list who breaks its description; then 6")] = False,
) -> None:
    """List the services: what they say of themselves, and what is heard of them.

    Example: dsmtc services --check
    """
    session = session_of(context)
    found = session.client.services()
    now = session.client.now()
    if not check:
        session.out.answer(found, lambda: views.services(found, now))
        return
    breaches = found["breaches"]
    session.out.answer(breaches, lambda: views.breaches(breaches, now))
    if breaches:
        raise Conflict(
            f"{len({each['service'] for each in breaches})} services break their descriptions",
            hint="mend the service, or let it describe itself anew (field service-description)",
        )
