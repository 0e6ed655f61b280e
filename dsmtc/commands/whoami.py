"""``dsmtc whoami``: account, role, slices."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def whoami(context: typer.Context) -> None:
    """Show your account, your role, and the slices that you may use.

    Example: dsmtc whoami
    """
    session = session_of(context)
    answer = session.client.whoami()
    slices = ", ".join(answer["slices"]) or "none"
    session.out.answer(answer, lambda: [f"{answer['account']} [{answer['role']}] slices: {slices}"])
