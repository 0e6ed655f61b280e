"""``dsmtc events``: the channel watcher of PsEPR."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer

from dsmt_core.events import ATTRIBUTE
from dsmt_core.leases import LEASE
from dsmtc.client import EventRecord, Lost
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.following import followed
from dsmtc.output import Output
from dsmtc.rendering.events import event_line, event_xml

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# What has a short name; any other type is given as its XML namespace.
_TYPES = {"attribute": ATTRIBUTE, "lease": LEASE}
_DAY_S = 86_400.0


@app.command()
def events(  # noqa: PLR0913 - a verb's parameters are its options
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as they come")] = False,
    channel: Annotated[str, typer.Option(help="at or below this channel")] = "/",
    type_: Annotated[
        str, typer.Option("--type", help="only this type: attribute, lease, or an XML namespace")
    ] = "",
    service: Annotated[str, typer.Option(help="only from this service")] = "",
    state: Annotated[str, typer.Option(help="only deployment-status of this state")] = "",
    field: Annotated[str, typer.Option(help="only this field")] = "",
    since: Annotated[
        str,
        typer.Option(
            help="from the history: first, an offset, a time (2026-03-01T12:00:00Z), or 10m, 2h, 1d"
        ),
    ] = "",
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="begin with the values that hold now")
    ] = False,
    xml: Annotated[bool, typer.Option("--xml", help="PsEPR XML, one event a line")] = False,
    count: Annotated[int, typer.Option(help="end after so many", min=0)] = 0,
    timeout: Annotated[float | None, typer.Option(help="seconds; then exit code 7", min=0.0)] = None,
) -> None:
    """Show events, one a line: the last 100, or from --since on, or what holds (--snapshot).

    With --follow it goes on by itself when the planner was away, with --since where it ended.
    With --json one object a line, with --xml one document.

    Example: dsmtc events --follow --channel /org/dsmt/ns/deployment/my_slice/ --state failed

    Example: dsmtc events --since 10m --follow

    Example: dsmtc events --snapshot --channel /com/example/pinger/
    """
    session = session_of(context)
    if xml and session.out.json:
        raise Misused("--json and --xml are two forms", hint="give one of them")
    filters = {
        "channel": channel,
        "type": _TYPES.get(type_, type_),
        "service": service,
        "state": state,
        "field": field,
        "since": since,
        "snapshot": "1" if snapshot else "",
        "follow": "1" if follow else "",
    }
    until = None if timeout is None else time.monotonic() + timeout
    ask = partial(followed, session) if follow else session.client.events
    for event in ask(filters, count=count, until=until):
        _show(session.out, event, xml=xml)


def _show(out: Output, event: EventRecord | Lost, *, xml: bool) -> None:
    if not xml:
        out.line(event, event_line(event, _clock, wide=out.form == "wide"))
    elif "lost" in event:
        out.story(event_line(event, _clock)[0].text)
    else:
        out.text(event_xml(event))


def _clock(sent_at: float) -> str:
    """A time of today, or with its date."""
    today = abs(time.time() - sent_at) < _DAY_S
    whole = time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", time.localtime(sent_at))
    return f"{whole}.{int(sent_at * 1000) % 1000:03d}"
