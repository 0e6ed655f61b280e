"""``dsmtc login``: who you are, once."""

from __future__ import annotations

import typer

from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def login(context: typer.Context) -> None:
    """Log in; later commands act for this account without a password, until the token ends.

    Instead, the file ~/.dsmt/account (mode 600) may hold three lines:
    account: me@example.com, password: PASSWORD, role: user.

    Example: dsmtc login --user me@example.com
    """
    session = session_of(context)
    answer = session.sign_in()
    told = {name: value for name, value in answer.items() if name != "token"}
    if session.shadowed:
        session.out.story(f"{session.shadowed} goes before this login; name the account with --user")
    session.out.answer(told, lambda: [f"{answer['account']} [{answer['role']}] at {session.planner}"])
