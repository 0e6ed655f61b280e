"""``dsmtc rollout``: a new version of an application, host by host in waves, and back by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.looking import CheckIndex, DryRun, look_ahead
from dsmtc.pace import Deadline, Errors, Follow, MinHealthy, Need, Timeout, Waves, chosen, limit, sizes
from dsmtc.rendering.rollouts import history, listed, progress, shown
from dsmtc.rolling import follow as follow_to_its_end

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Application = Annotated[
    str, typer.Argument(metavar="[APPLICATION]", help="may be left out when the slice has only one")
]


@app.callback(invoke_without_command=True)
def rollout(context: typer.Context) -> None:
    """New versions in waves; alone it lists the latest of each application.

    Example: dsmtc rollout start pinger --version 1.9-1 --waves 1,10%,50%,100% --follow
    """
    if context.invoked_subcommand is None:
        session = session_of(context)
        found = session.client.rollouts(session.slice)
        session.out.answer(found, lambda: listed(found))


@app.command()
def start(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    application: _Application = "",
    *,
    version: Annotated[str, typer.Option(help="of its wrapper; else the newest in the depot")] = "",
    waves: Waves = "",
    min_healthy: MinHealthy = "",
    deadline: Deadline = "",
    errors: Errors = "",
    need: Need = "",
    dry_run: DryRun = False,
    check_index: CheckIndex = "",
    follow: Follow = False,
    timeout: Timeout = "",
) -> None:
    """Bring another version to the hosts in waves; it goes back by itself when hosts fail.

    With --follow: exit code 0 when it is done, 8 when it went back or was aborted, 7 when the time is over.

    Example: dsmtc rollout start pinger --version 1.9-1 --waves 1,10%,50%,100% --min-healthy 30s
    """
    session = session_of(context)
    which, wanted = named(session, application), chosen(min_healthy, deadline, errors, need)
    client, slice_ = session.client, session.slice
    if dry_run:
        thought = client.foresee_rollout(slice_, which, version=version, waves=sizes(waves), chosen=wanted)
        look_ahead(session, thought, check_index)
    wanted |= {"check_index": check_index} if check_index else {}
    begun = client.start_rollout(slice_, which, version=version, waves=sizes(waves), chosen=wanted)
    if follow:
        follow_to_its_end(session, which, timeout_s=limit(timeout))
    else:
        session.out.answer(begun, lambda: [progress(begun)])


@app.command()
def status(
    context: typer.Context,
    application: _Application = "",
    *,
    follow: Follow = False,
    timeout: Timeout = "",
) -> None:
    """Show the latest roll-out: how far it is, who is awaited, who failed and why.

    Example: dsmtc rollout status pinger --follow
    """
    session = session_of(context)
    which = named(session, application)
    if follow:
        follow_to_its_end(session, which, timeout_s=limit(timeout))
        return
    found = session.client.rollout(session.slice, which)
    session.out.answer(found, lambda: shown(found))


@app.command("history")
def show_history(context: typer.Context, application: _Application = "") -> None:
    """List the roll-outs of an application, the latest first.

    Example: dsmtc rollout history pinger
    """
    session = session_of(context)
    found = session.client.rollout_history(session.slice, named(session, application))
    session.out.answer(found, lambda: history(found))


@app.command()
def pause(context: typer.Context, application: _Application = "") -> None:
    """Tell no further host; those that were told already go on.

    Example: dsmtc rollout pause pinger
    """
    _turn(context, application, "pause")


@app.command()
def resume(context: typer.Context, application: _Application = "") -> None:
    """Let a paused roll-out go on.

    Example: dsmtc rollout resume pinger
    """
    _turn(context, application, "resume")


@app.command()
def promote(
    context: typer.Context,
    application: _Application = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="to the last wave, not to the next")] = False,
) -> None:
    """Go on to the next wave without waiting for this one; the disruption budget is kept all the same.

    Example: dsmtc rollout promote pinger --all
    """
    _turn(context, application, "promote", all_at_once=everything)


@app.command()
def abort(
    context: typer.Context,
    application: _Application = "",
    *,
    back: Annotated[bool, typer.Option("--back", help="and give all hosts the version before")] = False,
) -> None:
    """End a roll-out where it stands: each host keeps what it has, or with --back gets what it had.

    Example: dsmtc rollout abort pinger --back
    """
    _turn(context, application, "abort", back=back)


def _turn(
    context: typer.Context, application: str, deed: str, *, all_at_once: bool = False, back: bool = False
) -> None:
    session = session_of(context)
    which = named(session, application)
    answer = session.client.turn_rollout(session.slice, which, deed, all_at_once=all_at_once, back=back)
    session.out.answer(answer, lambda: [progress(answer)])
