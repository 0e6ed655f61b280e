"""``dsmtc secret``: what applications of a slice may know, and nobody else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Full, Invalid
from dsmt_core.secrets import BYTES
from dsmtc.client.secrets import SecretShown
from dsmtc.dispatch import session_of
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import since

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def secret(context: typer.Context) -> None:
    """Secrets of a slice; alone it lists them, without their values.

    Example: dsmtc secret put db_password @password.txt
    """
    if context.invoked_subcommand is None:
        list_secrets(context)


@app.command()
def put(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="small letters, digits, underscores")],
    source: Annotated[str, typer.Argument(metavar="@FILE|-", help="a file, or - for stdin")],
) -> None:
    """Keep a secret; the planner seals it, and never tells it to people again.

    Example: dsmtc secret put db_password @password.txt
    """
    session = session_of(context)
    kept = session.client.put_secret(session.slice, name, _read(source))
    session.out.answer(kept, lambda: [_told(kept)])


@app.command("list")
def list_secrets(context: typer.Context) -> None:
    """List names, and who uses them.

    Example: dsmtc secret list
    """
    session = session_of(context)
    found = session.client.secrets(session.slice)
    session.out.answer(found, lambda: _table(found, session.client.now()))


@app.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument()]) -> None:
    """Forget a secret that no application is configured with.

    Example: dsmtc secret remove db_password
    """
    session = session_of(context)
    session.client.remove_secret(session.slice, name)
    session.out.answer({"removed": name}, lambda: [f"removed {name}"])


def _read(source: str) -> bytes:
    """The content: never a word of the command line, which everybody can read.

    Raises:
        Invalid: it is no file, or cannot be read.
        Full: it is too long.
    """
    if source != "-" and not source.startswith("@"):
        raise Invalid(
            "a secret is not written on the command line, where others can read it",
            hint="put it into a file: @FILE, or pipe it in: -",
        )
    try:
        if source == "-":
            content = sys.stdin.buffer.read(BYTES + 1)
        else:
            with Path(source[1:]).open("rb") as file:
                content = file.read(BYTES + 1)
    except OSError as error:
        raise Invalid(f"{source[1:]} cannot be read: {error.strerror}") from error
    if len(content) > BYTES:
        raise Full(f"it is longer than {BYTES} bytes")
    return content


def _told(kept: SecretShown) -> str:
    told = f"{kept['name']} is kept"
    if kept["used_by"] or kept["outdated_in"]:
        users = ", ".join(kept["used_by"])
        return (
            f"{told}; {users} goes on with the one before: dsmtc configure {users} --secret {kept['name']}"
        )
    return f"{told}; use it with dsmtc configure APPLICATION --secret {kept['name']}"


def _table(found: list[SecretShown], now: float) -> View:
    if not found:
        return ["the slice has no secrets; dsmtc secret put NAME @FILE"]
    rows = [
        (
            one["name"],
            since(one["put_at"], now),
            one["put_by"],
            ", ".join(one["used_by"]) or "-",
            ", ".join(one["outdated_in"]) or "-",
        )
        for one in found
    ]
    return [Table(("SECRET", "PUT", "BY", "USED BY", "OLDER ONE IN"), rows)]
