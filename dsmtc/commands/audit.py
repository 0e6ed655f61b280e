"""``dsmtc audit``: who did what, when, from where; and whether that is still what was written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Invalid
from dsmtc import audit_file
from dsmtc.client.audit import AuditVerified
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.rendering.audit import entries, verified

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_NOT_WHOLE = 1
_Since = Annotated[str, typer.Option(help="only from then on: 10m, 2h, 1d, or 2026-03-01T12:00Z")]
_Until = Annotated[str, typer.Option(help="only before then")]
_By = Annotated[str, typer.Option(help="only what this account did")]
_About = Annotated[str, typer.Option(help="only about this slice, node, account, …")]
_Act = Annotated[str, typer.Option("--act", help="only this: slice.make, or slice for all of slices")]
_Refused = Annotated[bool, typer.Option("--refused", help="only what was refused or failed")]
_Count = Annotated[int, typer.Option(min=1, max=1000, help="the newest so many")]
_Against = Annotated[Path | None, typer.Option(help="an earlier export: nothing of it may be missing")]


@app.callback(invoke_without_command=True)
def audit(  # noqa: PLR0913 - a verb's parameters are its options
    context: typer.Context,
    *,
    since: _Since = "",
    until: _Until = "",
    by: _By = "",
    about: _About = "",
    act: _Act = "",
    refused: _Refused = False,
    count: _Count = 100,
) -> None:
    """Show the audit log: of everything as admin, else of your slices and of yourself.

    Example: dsmtc audit --since 1d --about my_slice

    Example: dsmtc audit --act login --refused
    """
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    session.client.freshen()
    now = session.client.now()
    filters = {
        "since": _moment(since, "--since", now),
        "until": _moment(until, "--until", now),
        "by": by,
        "about": about,
        "act": act,
        "refused": "1" if refused else "",
        "limit": count,
    }
    found = session.client.audit(filters)
    session.out.answer(found, lambda: entries(found))


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="an export; without one the planner's own log")
    ] = None,
    *,
    against: _Against = None,
) -> None:
    """Look for entries that were changed, removed, moved or put in; exit code 1 when there are.

    A planner's log is compared with what the planner remembers beside its database, too. With a file no
    planner is asked. --against FILE also finds a log that was cut off, or written anew, since that export.

    Example: dsmtc audit verify --against audit-2026-03.jsonl
    """
    session = session_of(context)
    known = audit_file.look(audit_file.read(against)).known if against else {}
    if file is not None:
        found = _told(audit_file.look(audit_file.read(file), known))
    else:
        found = session.client.audit_verify()
        if known and found["whole"]:
            found = _told(audit_file.look(session.client.audit_export(), known))
    session.out.answer(found, lambda: verified(found))
    if not found["whole"]:
        raise typer.Exit(_NOT_WHOLE)


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="to be made, readable by you only")],
) -> None:
    """Write the whole log to a file, as lines of JSON that can be verified without the planner (admin).

    Example: dsmtc audit export audit-2026-03.jsonl
    """
    session = session_of(context)
    if not file.name:
        raise Misused(f"{str(file)!r} names no file")
    found = _told(audit_file.write(file, session.client.audit_export()))
    session.out.answer(found | {"file": str(file)}, lambda: [f"written to {file}", *verified(found)])


@app.command()
def prune(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="an export that is kept")],
    *,
    keep: Annotated[str, typer.Option(help="what is younger stays")] = "90d",
) -> None:
    """Remove from the planner what is in an export and older than 90 days (admin).

    The log stays verifiable: it begins after the last entry that was removed, and says so.

    Example: dsmtc audit prune audit-2026-03.jsonl --keep 30d
    """
    session = session_of(context)
    looked = audit_file.look(audit_file.read(file))
    if looked.chain.wrong:
        raise Invalid(f"{file} is not whole: {looked.chain.findings[0]}", hint=f"dsmtc audit verify {file}")
    session.client.freshen()
    before = (session.client.now() - seconds(keep, "--keep")) * 1000
    # The last entry is what the log goes on from.
    old = [head for head, at_ms in looked.entries[:-1] if at_ms < before]
    if not old:
        session.out.answer({"removed": 0, "anchor": str(looked.anchor)}, lambda: ["nothing is old enough"])
        return
    done = session.client.audit_prune(str(old[-1]))
    session.out.answer(done, lambda: [f"removed {done['removed']} entries; keep {file}"])


def _told(looked: audit_file.Looked) -> AuditVerified:
    chain = looked.chain
    return {
        "whole": not chain.wrong,
        "entries": chain.count,
        "anchor": str(looked.anchor),
        "head": str(chain.at),
        "wrong": chain.wrong,
        "findings": chain.findings,
    }


def _moment(text: str, option: str, now: float) -> float | None:
    """Seconds since the epoch: so long ago, or a moment in ISO 8601 (UTC where it says no zone)."""
    if not text:
        return None
    try:
        return now - seconds(text, option)
    except Misused:
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            raise Misused(
                f"{option} {text[:40]!r} is no time", hint="such as 10m, 2h, 1d, or 2026-03-01T12:00Z"
            ) from None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
