"""``dsmtc delete``: the end of a slice."""

from __future__ import annotations

import sys

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def delete(context: typer.Context) -> None:
    """Delete a slice with its packages and plans; what runs in it ends. Asks first, unless --yes.

    Example: dsmtc delete --slice SLICENAME --yes
    """
    session = session_of(context)
    name = session.common.slice
    if not name:
        raise Misused("delete needs --slice NAME", hint="the only slice is not taken for granted here")
    if not session.common.yes:
        _confirm(name)
    session.client.delete(name)
    session.out.answer({"slice": name, "deleted": True}, lambda: [f"slice {name} is deleted"])


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        raise Misused(f"deleting slice {name} needs --yes when nobody can be asked")
    sys.stderr.write(f"Delete slice {name!r} and everything in it? Type its name: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != name:
        raise Misused("not deleted")
