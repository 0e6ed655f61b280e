"""``dsmtc exec``: run a command as an application, where it runs."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from dsmtc.client.looked_in import RunResult
from dsmtc.commandline import Misused
from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.output import Output
from dsmtc.rendering.text import clean

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# As shells and coreutils' timeout have it.
_SIGNALLED: Final = 128
_TIMED_OUT: Final = 124
_NOT_RUN: Final = 125


@app.command(name="exec")
def execute(
    context: typer.Context,
    at: Annotated[str, typer.Argument(metavar="NODE|PLAN")],
    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND...")] = None,
    *,
    application: Annotated[str, typer.Option("--application", "-a", help="else the only one")] = "",
    timeout: Annotated[str, typer.Option(help="how long it may take (10s, at most 5m)")] = "",
) -> None:
    """Run a command as an application, with its user and environment; who ran what is said in an event.

    On one node the exit code is the command's; on several 1 when any is not 0. It is 124 when it took too
    long, 125 when it was not run, and 128 and more for a signal.

    Example: dsmtc exec node1.example.org -- cat /app/pid
    """
    session = session_of(context)
    if not command:
        raise Misused("there is no command", hint="dsmtc exec NODE -- COMMAND...")
    which = named(session, application)
    limit = seconds(timeout, "--timeout") if timeout else 0.0
    results = session.client.execute(session.slice, which, at, command, timeout_s=limit)
    if session.out.json:
        session.out.answer({"results": results}, list)
    for result in () if session.out.json else results:
        _show(session.out, result, named_=len(results) > 1)
    codes = [exit_code(result) for result in results]
    raise typer.Exit(codes[0] if len(codes) == 1 else int(any(codes)))


def exit_code(result: RunResult) -> int:
    """The exit code of one that ended so."""
    if result["trouble"]:
        return _NOT_RUN
    if result["timed_out"]:
        return _TIMED_OUT
    code = result["exit"]
    return _SIGNALLED - code if code < 0 else code


def _show(out: Output, result: RunResult, *, named_: bool) -> None:
    host = result["host"]
    for line in result["output"].removesuffix("\n").split("\n") if result["output"] else ():
        out.text(clean(f"{host} | {line}" if named_ else line))
    if result["trouble"]:
        out.story(f"{host}: {result['trouble']}")
    if result["timed_out"]:
        out.story(f"{host}: it took too long and was ended")
    if result["cut"]:
        out.story(f"{host}: it printed more than is told")
    if named_ and (code := exit_code(result)):
        out.story(f"{host}: exit code {code}")
