"""``dsmtc shell``, also ``dsmtc --cli``: the same commands at a prompt."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.shell import Shell

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def shell(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="of commands, else stdin")] = "",
    *,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="not to stop at an error")] = False,
) -> None:
    """Open the shell. From a file or pipe it stops at the first error, with its exit code.

    Example: dsmtc --cli --slice my_slice
    """
    raise typer.Exit(Shell(session_of(context)).run(file, keep_going=keep_going))
