"""``dsmtc slice``: what a slice is for, and whose it is."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from dsmt_core.errors import NotFound
from dsmtc import quotas
from dsmtc.commandline import Misused
from dsmtc.commands.create import tell_new
from dsmtc.dispatch import session_of
from dsmtc.rendering import quotas as view
from dsmtc.rendering.authority import slice_view

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def slice_(context: typer.Context) -> None:
    """A slice as people know it: description, url, members, end; alone it shows that.

    Example: dsmtc slice show --slice SLICENAME
    """
    if context.invoked_subcommand is None:
        show(context)


@app.command()
def show(context: typer.Context) -> None:
    """Show one slice.

    Example: dsmtc slice show --slice SLICENAME
    """
    session = session_of(context)
    found = session.client.slice(session.slice)
    with contextlib.suppress(NotFound):
        # A planner of before knows no quotas.
        bounds = session.client.quota(session.slice)
        answer = {**found, "quota": bounds}
        session.out.answer(
            answer, lambda: [*slice_view(found, session.client.now()), "", *view.of_slice(bounds)]
        )
        return
    session.out.answer(found, lambda: slice_view(found, session.client.now()))


@app.command()
def quota(  # noqa: PLR0913 - one option a bound
    context: typer.Context,
    slice_: Annotated[str | None, typer.Argument(metavar="[SLICE]", help="else --slice")] = None,
    *,
    nodes: quotas.Nodes = None,
    slivers: quotas.Slivers = None,
    memory: quotas.Memory = "",
    depot_bytes: quotas.Depot = "",
    events_per_second: quotas.Events = None,
    clear: quotas.Clear = None,
    dry_run: quotas.DryRun = False,
) -> None:
    """Show what a slice may use and uses, or say it (admin; pi within what the site has).

    Nothing that runs is stopped; what would begin beyond it waits, and says why.

    Example: dsmtc slice quota SLICENAME --nodes 20 --memory 8G --dry-run
    """
    session = session_of(context)
    numbers = {"nodes": nodes, "slivers": slivers, "events_per_second": events_per_second}
    said = quotas.Said(numbers=numbers, memory=memory, depot=depot_bytes, clear=clear or ())
    name, given = slice_ or session.slice, quotas.given(said)
    if dry_run:
        seen = session.client.preview_quota(name, given)
        session.out.answer(seen, lambda: view.preview(seen))
        return
    found = session.client.set_quota(name, given) if given else session.client.quota(name)
    session.out.answer(found, lambda: view.of_slice(found))


@app.command("set")
def set_(
    context: typer.Context,
    *,
    description: Annotated[str | None, typer.Option(help="what it is for")] = None,
    url: Annotated[str | None, typer.Option(help="of a page about it")] = None,
) -> None:
    """Say what a slice is for.

    Example: dsmtc slice set --slice SLICENAME --description "measures paths" --url https://example.com
    """
    session = session_of(context)
    if description is None and url is None:
        raise Misused("slice set needs --description or --url")
    found = session.client.describe(session.slice, description=description, url=url)
    session.out.answer(found, lambda: slice_view(found, session.client.now()))


@app.command()
def members(
    context: typer.Context,
    *,
    add: Annotated[list[str] | None, typer.Option(metavar="ACCOUNT", help="may be repeated")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="ACCOUNT", help="may be repeated")] = None,
) -> None:
    """Show who belongs to a slice, or change that (pi, admin).

    Example: dsmtc slice members --slice SLICENAME --add you@example.com
    """
    session = session_of(context)
    name = session.slice
    for account in add or []:
        tell_new(session, session.client.add_member(name, account).get("accounts_made", []))
    for account in remove or []:
        session.client.remove_member(name, account)
    found = session.client.slice(name)
    answer = {"slice": name, "owner": found["owner"], "members": found["members"]}
    session.out.answer(answer, lambda: [f"members of {name}: {' '.join(found['members'])}"])
