"""``dsmtc setplan``: Choose the nodes of a slice: one of its plans, or a function with its parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.looking import CheckIndex, DryRun, look
from dsmtc.parameters import plan_and_parameters
from dsmtc.rendering.previews import motion_lines
from dsmtc.rendering.views import slice_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def setplan(
    context: typer.Context,
    planned: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLAN] [NAME=VALUE]...", help="the plan, and its parameters"),
    ] = None,
    *,
    plan: Annotated[str, typer.Option(help="its plan or function; or as the first word")] = "",
    dry_run: DryRun = False,
    check_index: CheckIndex = "",
) -> None:
    """Choose the nodes of a slice: one of its plans, or a function with its parameters.

    Example: dsmtc setplan --plan only10 --dry-run
    """
    session = session_of(context)
    plan, given = plan_and_parameters(plan, planned)
    if dry_run:
        look(session, session.client.preview(session.slice, plan, given), check_index)
    slice_ = session.client.set_plan(session.slice, plan, given, check_index=check_index)
    session.out.answer(slice_, lambda: [slice_line(slice_), *motion_lines(slice_.get("motion"))])
