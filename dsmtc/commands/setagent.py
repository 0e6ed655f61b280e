"""``dsmtc setagent``: Choose the installation agent of a slice."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import parameters
from dsmtc.dispatch import session_of
from dsmtc.parameters import named_as
from dsmtc.rendering.views import slice_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def setagent(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[AGENT] [NAME=VALUE]...", help="the agent, parameters")
    ] = None,
    *,
    agent: Annotated[str, typer.Option(help="its installation agent; or as the first word")] = "",
) -> None:
    """Choose the installation agent of a slice.

    Example: dsmtc setagent --agent deployment-agent
    """
    session = session_of(context)
    given = list(words or ())
    word = given.pop(0) if given and "=" not in given[0] else ""
    which = named_as(word, agent, "an agent", "--agent deployment-agent")
    slice_ = session.client.set_agent(session.slice, which, parameters(given))
    session.out.answer(slice_, lambda: [slice_line(slice_)])
