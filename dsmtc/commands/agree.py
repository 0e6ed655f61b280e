"""``dsmtc agree``: let go what the planner holds back."""

from __future__ import annotations

import sys

import typer

from dsmtc.client import ToAgree
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.looking import CHANGES, NOTHING, CheckIndex, DryRun
from dsmtc.rendering.previews import to_agree
from dsmtc.rendering.table import lines
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def agree(context: typer.Context, *, dry_run: DryRun = False, check_index: CheckIndex = "") -> None:
    """Let go what the planner would stop by its own idea, and holds back. Asks first, unless --yes.

    Example: dsmtc agree --slice SLICENAME --dry-run
    """
    session = session_of(context)
    name = session.slice
    found = session.client.held_back(name)
    if dry_run:
        session.out.answer(found, lambda: to_agree(found))
        raise typer.Exit(CHANGES if found["hosts"] else NOTHING)
    if not found["hosts"]:
        session.out.answer(found, lambda: to_agree(found))
        return
    if not (check_index or session.common.yes):
        _confirm(session, found)
    gone = session.client.agree(name, check_index or found["index"])
    session.out.answer(gone, lambda: [f"agreed: {len(gone['hosts'])} of {name} may stop"])


def _confirm(session: Session, found: ToAgree) -> None:
    if not sys.stdin.isatty():
        raise Misused(
            "agreeing needs --check-index or --yes when nobody can be asked",
            hint="dsmtc agree --dry-run tells the index",
        )
    for line in lines(to_agree(found)):
        session.out.story(line)
    sys.stderr.write(f"Let all {len(found['hosts'])} stop? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Misused("not agreed; nothing is changed")
