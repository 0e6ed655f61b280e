"""``dsmtc start, stop, restart, update, uninstall``: what an application should do where it is placed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dsmt_core.errors import Invalid
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.looking import CheckIndex, DryRun, look_ahead
from dsmtc.rendering.views import changed, names
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Application = Annotated[
    str, typer.Argument(metavar="[APPLICATION]", help="may be left out when the slice has only one")
]
_Hosts = Annotated[list[str] | None, typer.Option("--host", "--node", help="only there; may be repeated")]


@app.command()
def start(context: typer.Context, application: _Application = "", *, host: _Hosts = None) -> None:
    """Let an application run wherever it is placed.

    Example: dsmtc start pinger
    """
    _act(session_of(context), application, host)


@app.command()
def stop(context: typer.Context, application: _Application = "", *, host: _Hosts = None) -> None:
    """Let an application stay installed, but not run.

    Example: dsmtc stop pinger --host node1.example.org
    """
    _act(session_of(context), application, host)


@app.command()
def restart(context: typer.Context, application: _Application = "", *, host: _Hosts = None) -> None:
    """Restart an application where it runs.

    Example: dsmtc restart pinger
    """
    _act(session_of(context), application, host)


@app.command()
def update(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    application: _Application = "",
    *,
    host: _Hosts = None,
    version: Annotated[str, typer.Option(help="of its wrapper; else the newest in the depot")] = "",
    dry_run: DryRun = False,
    check_index: CheckIndex = "",
) -> None:
    """Use another version of an application from the depot, everywhere at once.

    Example: dsmtc update pinger --version 1.9-1
    """
    session = session_of(context)
    if dry_run:
        found = session.client.foresee_update(session.slice, named(session, application), version=version)
        look_ahead(session, found, check_index)
    _act(session, application, host, version=version, check_index=check_index)


@app.command()
def uninstall(context: typer.Context, application: _Application = "", *, host: _Hosts = None) -> None:
    """Remove an application from the slice's nodes. At a terminal it asks first where none is named.

    Example: dsmtc uninstall pinger
    """
    session = session_of(context)
    if not (application or session.common.yes) and sys.stdin.isatty():
        application = _confirmed(named(session, ""), session.slice)
    _act(session, application, host)


def _confirmed(application: str, slice_: str) -> str:
    sys.stderr.write(f"Uninstall {application} from the nodes of {slice_}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Misused("not uninstalled")
    return application


def _act(session: Session, application: str, hosts: list[str] | None, **chosen: str) -> None:
    verb, which = session.verb, named(session, application)
    answer = session.client.act(session.slice, which, verb, hosts=hosts or (), **chosen)
    session.out.answer(answer, lambda: [changed(answer, verb)])


def named(session: Session, application: str) -> str:
    """The application that is meant: the one named, or the slice's only one.

    Raises:
        Invalid: none is named, and there is not exactly one.
    """
    return application or _only(names(session.client.slice(session.slice).get("applications", [])))


def _only(applications: list[str]) -> str:
    if len(applications) != 1:
        there = ", ".join(applications) or "none yet"
        raise Invalid(
            f"which application? The slice has {there}", hint="depot put its packages, or name one"
        )
    return applications[0]
