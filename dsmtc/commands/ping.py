"""``dsmtc ping``: which agents are there."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmt_core.errors import Unavailable
from dsmtc.client.looked_in import PingLine
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.rendering.pings import answered, counted, rest, table

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def ping(
    context: typer.Context,
    at: Annotated[str, typer.Argument(metavar="[NODE|PLAN]", help="else every node of the slice")] = "",
    *,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="who is later is silent")] = "2s",
) -> None:
    """Ask the agents of the slice, and tell who answers in how many milliseconds, and who does not.

    It ends as soon as the last has answered. Exit code 5: somebody did not.

    Example: dsmtc ping

    Example: dsmtc ping only3 --timeout 500ms
    """
    session = session_of(context)
    out = session.out
    told: list[PingLine] = []
    for line in session.client.ping(session.slice, at=at, within_s=seconds(timeout, "--timeout")):
        told.append(line)
        if out.form == "jsonl":
            out.record(line, list)
        elif "ms" in line and not out.form:
            out.text(answered(line))
    if out.form != "jsonl":
        view = table if out.form else rest
        out.answer(told, lambda: view(told, session.client.now()))
    asked, there = counted(told)
    if there < asked:
        raise Unavailable(f"{asked - there} of {asked} did not answer", hint="dsmtc nodes show NODE")
