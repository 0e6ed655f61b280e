"""``dsmtc account keys`` and ``dsmtc account token``: ways in without a password."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmt_core.errors import NotFound
from dsmtc.client.credentials import AccountKey, ProgramToken
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.rendering.audit import moment
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import since
from dsmtc.session import Session
from dsmtc.signing import public_line

keys = typer.Typer(add_completion=False, rich_markup_mode=None)
token = typer.Typer(add_completion=False, rich_markup_mode=None)
_Of = Annotated[str, typer.Option("--account", help="whose (admin); else your own")]


@keys.callback(invoke_without_command=True)
def _keys(context: typer.Context) -> None:
    """Keys of OpenSSH with which an account may log in; alone it lists them.

    Example: dsmtc account keys add ~/.ssh/id_ed25519.pub
    """
    if context.invoked_subcommand is None:
        list_keys(context)


@keys.command("add")
def add_key(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="the public key, such as ~/.ssh/id_ed25519.pub")],
    *,
    account: _Of = "",
) -> None:
    """Let the account in with a key; then: dsmtc login --key FILE.

    Example: dsmtc account keys add ~/.ssh/id_ed25519.pub
    """
    session = session_of(context)
    line = public_line(file)
    whose = _whose(session, account)
    added = session.client.add_account_key(whose, line)
    session.out.answer(added, lambda: [f"{whose} may log in with {added['fingerprint']}"])


@keys.command("list")
def list_keys(context: typer.Context, *, account: _Of = "") -> None:
    """List the account's keys.

    Example: dsmtc account keys list
    """
    session = session_of(context)
    found = session.client.account_keys(_whose(session, account))
    session.out.answer(found, lambda: _keys_shown(found, session.client.now()))


@keys.command("remove")
def remove_key(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="its fingerprint, SHA256:…, or the beginning of its id")],
    *,
    account: _Of = "",
) -> None:
    """Forget a key; the account's logins and tokens end.

    Example: dsmtc account keys remove SHA256:…
    """
    session = session_of(context)
    whose = _whose(session, account)
    found = session.client.account_keys(whose)
    meant = [one["id"] for one in found if _is(one, key)]
    if len(meant) != 1:
        raise NotFound(f"{whose} has no key {key[:80]}", hint="dsmtc account keys list")
    session.client.remove_account_key(whose, meant[0])
    session.out.answer({"removed": meant[0]}, lambda: [f"removed {key}; log in again"])


@token.callback(invoke_without_command=True)
def _token(context: typer.Context) -> None:
    """Tokens of programs, which log in with nothing else (DSMT_TOKEN); alone it lists them.

    Example: dsmtc account token make backup --for 30d
    """
    if context.invoked_subcommand is None:
        list_tokens(context)


@token.command("make")
def make_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="what it is for")],
    *,
    lasts: Annotated[str, typer.Option("--for", help="how long it is good, at most 366d")] = "30d",
    account: _Of = "",
) -> None:
    """Make a token in the role that you act in (--role); it is shown this once.

    Example: dsmtc account token make backup --for 30d --role user
    """
    session = session_of(context)
    who = session.client.whoami()
    whose = account or who["account"]
    role = session.identity.role if account else who["role"]
    made = session.client.make_account_token(whose, name, role=role, lasts_s=seconds(lasts, "--for"))
    until = moment(round(made["expires_at"] * 1000))
    session.out.story(f"good for {made['account']} [{made['role']}] until {until} UTC")
    session.out.answer(made, lambda: [made["token"]])


@token.command("list")
def list_tokens(context: typer.Context, *, account: _Of = "") -> None:
    """List the tokens that are good, without the tokens themselves.

    Example: dsmtc account token list
    """
    session = session_of(context)
    found = session.client.account_tokens(_whose(session, account))
    session.out.answer(found, lambda: _tokens_shown(found, session.client.now()))


@token.command("revoke")
def revoke_token(
    context: typer.Context, name: Annotated[str, typer.Argument()], *, account: _Of = ""
) -> None:
    """End a token now.

    Example: dsmtc account token revoke backup
    """
    session = session_of(context)
    session.client.revoke_account_token(_whose(session, account), name)
    session.out.answer({"revoked": name}, lambda: [f"revoked {name}"])


def _whose(session: Session, account: str) -> str:
    return account or session.client.whoami()["account"]


def _is(one: AccountKey, key: str) -> bool:
    return one["fingerprint"] == key or (len(key) > 7 and one["id"].startswith(key))


def _keys_shown(found: list[AccountKey], now: float) -> View:
    if not found:
        return ["no keys; dsmtc account keys add ~/.ssh/id_ed25519.pub"]
    rows = [
        (one["fingerprint"], one["kind"], one["comment"] or "-", since(one["added_at"], now), one["id"])
        for one in found
    ]
    return [Table(("FINGERPRINT", "KIND", "COMMENT", "ADDED", "ID"), rows, wide=frozenset({"ID"}))]


def _tokens_shown(found: list[ProgramToken], now: float) -> View:
    if not found:
        return ["no tokens; dsmtc account token make NAME"]
    rows = [
        (one["name"], one["role"], since(one["made_at"], now), moment(round(one["expires_at"] * 1000)))
        for one in found
    ]
    return [Table(("TOKEN", "ROLE", "MADE", "GOOD UNTIL (UTC)"), rows)]
