"""``dsmtc account``: who may use the planner."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commands.credentials import keys, token
from dsmtc.dispatch import session_of
from dsmtc.rendering.views import accounts
from dsmtc.session import Session, password_in

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(keys, name="keys")
app.add_typer(token, name="token")
_Account = Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="such as me@example.com")]
_Named = Annotated[str, typer.Option("--account", help="the same as an option")]
_New = Annotated[str, typer.Option("--new-password-file", help="else DSMT_NEW_PASSWORD, else asked for")]


@app.callback()
def account() -> None:
    """Accounts of the planner.

    Example: dsmtc account add me@example.com user
    """


@app.command()
def add(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="such as me@example.com")],
    role: Annotated[str, typer.Argument(metavar="[ROLE]", help="user, pi, tech or admin")] = "user",
    *,
    new_password_file: _New = "",
) -> None:
    """Make an account (admin).

    Example: dsmtc account add me@example.com user
    """
    session = session_of(context)
    made = session.client.add_account(account, _new_password(session, new_password_file), role.lower())
    session.out.answer(made, lambda: [f"account {made['account']} [{', '.join(made['roles'])}] is made"])


@app.command()
def passwd(
    context: typer.Context,
    account: _Account = "",
    *,
    named: _Named = "",
    new_password_file: _New = "",
) -> None:
    """Change a password: your own when no account is named, or as admin anyone's.

    Example: dsmtc account passwd
    """
    session = session_of(context)
    client, who = session.client, session.client.whoami()
    whose = account or named or who["account"]
    old = ""
    if who["role"] != "admin" and not (old := session.identity.password):
        old = session.ask_password()
    client.set_password(whose, _new_password(session, new_password_file), old=old)
    session.out.answer({"account": whose, "changed": True}, lambda: [f"the password of {whose} is changed"])


@app.command("list")
def list_accounts(context: typer.Context) -> None:
    """List all accounts (admin).

    Example: dsmtc account list
    """
    session = session_of(context)
    found = session.client.accounts()
    session.out.answer(found, lambda: accounts(found))


def _new_password(session: Session, file: str) -> str:
    if file:
        return password_in(file)
    if outside := session.environment.get("DSMT_NEW_PASSWORD", ""):
        return outside
    return session.ask_new_password()
