"""``dsmtc account``: who may use the planner."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.session import Session, password_in

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_New = Annotated[str, typer.Option("--new-password-file", help="else DSMT_NEW_PASSWORD, else asked for")]


@app.callback()
def account() -> None:
    """Accounts of the planner.

    Example: dsmtc account add me@example.com user
    """


@app.command()
def add(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="such as me@example.com")],
    role: Annotated[str, typer.Argument(metavar="[ROLE]", help="user, pi, tech or admin")] = "user",
    *,
    new_password_file: _New = "",
) -> None:
    """Make an account (admin).

    Example: dsmtc account add me@example.com user
    """
    session = session_of(context)
    made = session.client.add_account(account, _new_password(session, new_password_file), role.lower())
    session.out.answer(made, lambda: [f"account {made['account']} [{made['role']}] is made"])


@app.command()
def passwd(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="else your own")] = "",
    *,
    new_password_file: _New = "",
) -> None:
    """Change a password: your own, or as admin anyone's.

    Example: dsmtc account passwd
    """
    session = session_of(context)
    named = account or session.client.whoami()["account"]
    session.client.set_password(named, _new_password(session, new_password_file))
    session.out.answer({"account": named, "changed": True}, lambda: [f"the password of {named} is changed"])


def _new_password(session: Session, file: str) -> str:
    if file:
        return password_in(file)
    if outside := session.environment.get("DSMT_NEW_PASSWORD", ""):
        return outside
    first = session.ask_password("New password: ")
    if session.ask_password("The same again: ") != first:
        raise Misused("the two passwords differ; nothing is changed")
    return first
