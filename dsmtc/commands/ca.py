"""``dsmtc ca``: the authority of the installation, as the planner shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Conflict
from dsmtc.dispatch import session_of
from dsmtc.rendering.authority import shown

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def ca(context: typer.Context) -> None:
    """Whom the nodes and people of this installation trust; alone it shows it.

    It is made, and gives certificates, on the planner's own machine: dsmt-planner ca init, issue.

    Example: dsmtc ca
    """
    if context.invoked_subcommand is None:
        show(context)


@app.command()
def show(context: typer.Context) -> None:
    """Show its fingerprint, which others are told, and until when it and the planner's certificate hold.

    Example: dsmtc ca show
    """
    session = session_of(context)
    found = session.client.authority()
    session.out.answer(found, lambda: shown(found))


@app.command()
def fetch(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="made anew")]
) -> None:
    """Write its certificate (PEM) into a file, for other programs.

    Example: dsmtc ca fetch authority.pem
    """
    session = session_of(context)
    found = session.client.authority()
    if file.exists():
        raise Conflict(f"{file} is there already", hint="another name, or remove it first")
    file.write_text(found["certificate"])
    session.out.answer(
        {"file": str(file), "fingerprint": found["fingerprint"]},
        lambda: [f"wrote {file}: {found['fingerprint']}"],
    )
