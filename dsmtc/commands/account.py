"""``dsmtc account``: who may use the planner."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commands.credentials import keys, token
from dsmtc.dispatch import session_of
from dsmtc.rendering.authority import account_line, accounts
from dsmtc.session import Session, password_in

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(keys, name="keys")
app.add_typer(token, name="token")
_Account = Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="such as me@example.com")]
_Named = Annotated[str, typer.Option("--account", help="the same as an option")]
_New = Annotated[str, typer.Option("--new-password-file", help="else DSMT_NEW_PASSWORD, else asked for")]


@app.callback(invoke_without_command=True)
def account(context: typer.Context) -> None:
    """Accounts of the planner; alone it lists them (admin), or shows your own.

    Example: dsmtc account add me@example.com user
    """
    if context.invoked_subcommand is None:
        session = session_of(context)
        everybody = session.client.whoami()["role"] == "admin"
        list_accounts(context) if everybody else show(context)


@app.command()
def add(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="such as me@example.com")],
    role: Annotated[str, typer.Argument(metavar="[ROLE]", help="user, pi, tech or admin")] = "user",
    *,
    site: Annotated[str, typer.Option(help="it belongs there, and has its role there only")] = "",
    new_password_file: _New = "",
) -> None:
    """Make an account (admin; at a site also its pis).

    Example: dsmtc account add me@example.com user
    """
    session = session_of(context)
    made = session.client.add_account(
        account, _new_password(session, new_password_file), role.lower(), site
    )
    session.out.answer(made, lambda: [f"account {account_line(made)} is made"])


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


@app.command()
def show(
    context: typer.Context,
    account: _Account = "",
) -> None:
    """Show an account: your own when none is named.

    Example: dsmtc account show me@example.com
    """
    session = session_of(context)
    found = session.client.account(account or session.client.whoami()["account"])
    session.out.answer(found, lambda: accounts([found]))


@app.command()
def roles(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="such as me@example.com")],
    role: Annotated[list[str], typer.Argument(metavar="ROLE...", help="user, pi, tech, admin; or none")],
    *,
    site: Annotated[str, typer.Option(help="at this site; else everywhere")] = "",
) -> None:
    """Say which roles an account has from now on (admin; at a site also its pis).

    Example: dsmtc account roles me@example.com pi user --site princeton
    """
    session = session_of(context)
    held = [] if [one.lower() for one in role] == ["none"] else [one.lower() for one in role]
    if site:
        session.client.set_site_roles(site, account, held)
        place = f"at {site}"
        answer: dict[str, object] = {"account": account, "site": site, "roles": held}
    else:
        session.client.set_roles(account, held)
        place = "everywhere"
        answer = {"account": account, "roles": held}
    session.out.answer(answer, lambda: [f"account {account}: {', '.join(held) or 'no role'} {place}"])


@app.command()
def remove(context: typer.Context, account: Annotated[str, typer.Argument(help="which")]) -> None:
    """Remove an account; its logins end, and the slices that it owned are yours (admin; at a site its pis).

    Example: dsmtc account remove you@example.com
    """
    session = session_of(context)
    gone = session.client.remove_account(account)
    session.out.answer(gone, lambda: [f"account {account} is removed"])
    if gone["owned"]:
        session.out.story(f"it owned, and you own now: {', '.join(gone['owned'])}")
    if gone["member_of"]:
        session.out.story(f"it was a member of: {', '.join(gone['member_of'])}")


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
