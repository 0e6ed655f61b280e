"""``dsmtc check``: by what an application is checked, what a check counts, and when it is restarted."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dsmt_core.watch import Restart, Watch
from dsmtc.client.watches import WatchShown
from dsmtc.commandline import Misused
from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_LOCAL = "127.0.0.1"


@app.command()
def check(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    application: Annotated[str, typer.Argument(metavar="[APPLICATION]")] = "",
    *,
    http: Annotated[str, typer.Option(metavar="URL", help="well when it answers with 200 to 399")] = "",
    tcp: Annotated[str, typer.Option(metavar="PORT", help="well when somebody listens there")] = "",
    script: Annotated[bool, typer.Option("--script", help="ask the status script (the usual)")] = False,
    every: Annotated[str, typer.Option(help="time between checks; 0: the status period")] = "",
    timeout: Annotated[str, typer.Option(help="how long one may take; 0: 10 s")] = "",
    failures: Annotated[int | None, typer.Option(help="so many in a row: failed")] = None,
    successes: Annotated[int | None, typer.Option(help="so many in a row: running")] = None,
    restart: Annotated[Restart | None, typer.Option(help="when it is started again")] = None,
    restarts: Annotated[int | None, typer.Option(help="at most so many within --within; 0: any")] = None,
    within: Annotated[str, typer.Option(help="the window of --restarts")] = "",
) -> None:
    """Show how an application is watched, or change what is named; nothing is restarted for it.

    Example: dsmtc check pinger --http http://127.0.0.1:8080/health --every 10s --failures 3
    """
    session = session_of(context)
    chosen: dict[str, Any] = {
        "check": _probe(http, tcp, script=script),
        "every_s": seconds(every, "--every") if every else None,
        "timeout_s": seconds(timeout, "--timeout") if timeout else None,
        "failures": failures,
        "successes": successes,
        "restart": restart and str(restart),
        "restarts": restarts,
        "within_s": seconds(within, "--within") if within else None,
    }
    which = named(session, application)
    found = session.client.watch(session.slice, which)
    changes = {name: value for name, value in chosen.items() if value is not None}
    if changes:
        watch = Watch.of({**found, **changes})
        wish = {name: getattr(watch, name) for name in chosen}
        found = session.client.set_watch(session.slice, which, wish)
    session.out.answer(found, lambda: watched(found))


def _probe(http: str, tcp: str, *, script: bool) -> str | None:
    """The check that is named; None when none is, empty for the status script.

    Raises:
        Misused: there are several.
    """
    if bool(http) + bool(tcp) + script > 1:
        raise Misused("--http, --tcp and --script exclude one another", hint="an application has one check")
    if tcp:
        bare = tcp.removeprefix("tcp://")
        return f"tcp://{bare if ':' in bare else f'{_LOCAL}:{bare}'}"
    return http or ("" if script else None)


def watched(found: WatchShown) -> list[str]:
    """How an application is watched, for people."""
    by = found["check"] or "its status script, or where there is none that it lives"
    every = f"every {found['every_s']:g} s" if found["every_s"] else "once each status period"
    timeout = f", at most {found['timeout_s']:g} s each" if found["timeout_s"] else ""
    lines = [
        f"{found['application']} is checked by {by}, {every}{timeout}",
        f"  failed after {found['failures']} in a row, running after {found['successes']}",
    ]
    policy = found["restart"]
    often = f", at most {found['restarts']} times within {found['within_s']:g} s"
    bounded = bool(found["restarts"]) and policy != Restart.NEVER
    return [*lines, f"  restarted: {policy}{often if bounded else ''}"]
