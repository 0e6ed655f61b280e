"""``dsmtc setagent``: Choose the installation agent of a slice."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import parameters
from dsmtc.dispatch import session_of
from dsmtc.rendering.views import slice_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def setagent(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="parameters")] = None,
    *,
    agent: Annotated[str, typer.Option(help="its installation agent")],
) -> None:
    """Choose the installation agent of a slice.

    Example: dsmtc setagent --agent deployment-agent
    """
    session = session_of(context)
    slice_ = session.client.set_agent(session.slice, agent, parameters(words or []))
    session.out.answer(slice_, lambda: [slice_line(slice_)])
