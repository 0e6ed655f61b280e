"""``dsmtc logout``: what was logged in with is good no more."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def logout(context: typer.Context) -> None:
    """End the login of this account here; the planner forgets its token, and so does this machine.

    Example: dsmtc logout
    """
    session = session_of(context)
    ended = session.sign_out()
    who = session.identity.account or "nobody"
    told = f"{who} is logged out" if ended else f"{who} was not logged in"
    session.out.answer({"account": session.identity.account, "ended": ended}, lambda: [told])
