"""``dsmtc nodes exclude … window``: nodes taken out of service, and given back."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.draining import wait_until_drained
from dsmtc.durations import seconds
from dsmtc.rendering.standings import stood, would_change

_Hosts = Annotated[list[str] | None, typer.Argument(metavar="HOST...", help="such as node1.example.org")]
_Where = Annotated[str, typer.Option(metavar="CONDITION", help="those of which this is true, instead")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell which nodes are meant")]
_Reason = Annotated[str, typer.Option(metavar="TEXT", help="why; shown wherever it matters")]
_EVERY: Final = {"": 0.0, "day": 86_400.0, "week": 7 * 86_400.0}


def add_to(app: typer.Typer) -> None:
    """Make these verbs verbs of ``nodes``."""
    for verb in (exclude, include, cordon, uncordon, drain, window, distrust, trust):
        app.command()(verb)


def exclude(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    reason: _Reason = "",
    now: Annotated[
        bool, typer.Option("--now", help="stop what runs there whatever the budget says")
    ] = False,
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Take nodes out of every plan; what runs there leaves (admin).

    Example: dsmtc nodes exclude node1.example.org --reason "disk fails"
    """
    _say(context, "exclude", hosts, where, dry_run=dry_run, said={"reason": reason, "at_once": now})


def include(
    context: typer.Context, hosts: _Hosts = None, *, where: _Where = "", dry_run: _DryRun = False
) -> None:
    """Let plans have nodes again that were excluded (admin).

    Example: dsmtc nodes include node1.example.org
    """
    _say(context, "include", hosts, where, dry_run=dry_run)


def cordon(
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    reason: _Reason = "",
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Place nothing new on nodes; what is there stays (admin).

    Example: dsmtc nodes cordon node1.example.org --reason "disk swap on Friday"
    """
    _say(context, "cordon", hosts, where, dry_run=dry_run, said={"reason": reason})


def uncordon(
    context: typer.Context, hosts: _Hosts = None, *, where: _Where = "", dry_run: _DryRun = False
) -> None:
    """Give nodes back that were cordoned or drained (admin).

    Example: dsmtc nodes uncordon node1.example.org
    """
    _say(context, "uncordon", hosts, where, dry_run=dry_run)


def drain(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    deadline: Annotated[str, typer.Option(metavar="TIME", help="how long it may take, such as 10m")] = "",
    force: Annotated[bool, typer.Option("--force", help="stop what is left at the deadline")] = False,
    reason: _Reason = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="end the drain; what has moved stays")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="show how far it is until it is done")] = False,
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Move what runs on nodes elsewhere, the replacement first, and keep them empty (admin).

    Example: dsmtc nodes drain node1.example.org --deadline 10m --force --wait
    """
    if cancel:
        if deadline or force or wait:
            raise Misused("--cancel stands alone", hint="a drain that is cancelled has no deadline")
        _say(context, "cancel-drain", hosts, where, dry_run=dry_run)
        return
    said: dict[str, object] = {"reason": reason, "force": force}
    if deadline:
        said["deadline_s"] = seconds(deadline, "--deadline")
    names = _say(context, "drain", hosts, where, dry_run=dry_run, said=said)
    if wait and not dry_run:
        wait_until_drained(session_of(context), names)


def window(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help="ISO 8601; else UTC")] = "",
    ends: Annotated[str, typer.Option("--to", metavar="TIME", help="its end")] = "",
    lasts: Annotated[str, typer.Option("--for", metavar="TIME", help="or how long, such as 2h")] = "",
    every: Annotated[str, typer.Option(metavar="day|week", help="again and again")] = "",
    lead: Annotated[str, typer.Option(metavar="TIME", help="begin to move so long before")] = "0",
    reason: _Reason = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="take all windows of the nodes away")] = False,
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Say when people work on nodes: they are emptied before, and silence then is no failure (admin).

    Example: dsmtc nodes window node1.example.org --from 2026-05-01T22:00+02:00 --for 2h --lead 30m
    """
    if cancel:
        if begins or ends or lasts or every:
            raise Misused("--cancel takes all windows away and needs no time")
        _say(context, "cancel-windows", hosts, where, dry_run=dry_run)
        return
    if not begins or bool(ends) == bool(lasts):
        raise Misused("a window needs --from TIME, and --to TIME or --for LENGTH")
    if every not in _EVERY:
        raise Misused(f"--every {every[:20]!r} is not known", hint="--every day or --every week")
    length = {"ends": ends} if ends else {"lasts_s": seconds(lasts, "--for")}
    repeat = {"every_s": _EVERY[every], "lead_s": seconds(lead, "--lead")}
    time_: dict[str, object] = {"begins": begins, **length, **repeat}
    _say(context, "window", hosts, where, dry_run=dry_run, said={"reason": reason, "window": time_})


def distrust(
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    reason: _Reason = "",
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Say that nodes are broken: they have failed at once, until they are trusted (admin).

    Example: dsmtc nodes distrust node1.example.org --reason "it loses packets"
    """
    _say(context, "distrust", hosts, where, dry_run=dry_run, said={"reason": reason})


def trust(
    context: typer.Context,
    hosts: _Hosts = None,
    *,
    reason: _Reason = "",
    where: _Where = "",
    dry_run: _DryRun = False,
) -> None:
    """Say that nodes are mended: how often they failed is forgotten, and they are probed at once (admin).

    Example: dsmtc nodes trust node1.example.org --reason "new cable"
    """
    _say(context, "trust", hosts, where, dry_run=dry_run, said={"reason": reason})


def _say(  # noqa: PLR0913 - what all these verbs have in common
    context: typer.Context,
    verb: str,
    hosts: list[str] | None,
    where: str,
    *,
    dry_run: bool,
    said: dict[str, object] | None = None,
) -> list[str]:
    """Say it, and show how the nodes stand then. Returns which they are."""
    session = session_of(context)
    if not hosts and not where:
        raise Misused("name a node, or say which with --where CONDITION")
    if hosts and where:
        raise Misused("name nodes, or say which with --where, not both")
    told = session.client.stand(verb, hosts or (), where=where, said=said, dry_run=dry_run)
    session.out.answer(told, lambda: stood(told, session.client.now(), dry_run=dry_run))
    if dry_run and any(would_change(verb, one["standing"]) for one in told):
        raise typer.Exit(1)
    return [one["host"] for one in told]
