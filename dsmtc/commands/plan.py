"""``dsmtc plan``: named node selections, made of functions and of one another."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.dispatch import session_of
from dsmtc.looking import CheckIndex, DryRun, look
from dsmtc.parameters import plan_and_parameters
from dsmtc.rendering.previews import motion_lines
from dsmtc.rendering.views import evaluation, explanation, functions, plan_line, plans

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PLAN] [NAME=VALUE]...", help="the plan, and its parameters"),
]
_Name = Annotated[str, typer.Argument(metavar="[PLAN]", help="the plan's name")]
_Plan = Annotated[str, typer.Option(help="the plan's name; or as the first word")]


@app.callback(invoke_without_command=True)
def plan(context: typer.Context) -> None:
    """Named node selections; alone it lists them.

    Example: dsmtc plan set --plan only10 --base limit parent=goodNodes count=10
    """
    if context.invoked_subcommand is None:
        list_plans(context)


@app.command("set")
def set_plan(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    planned: _Words = None,
    *,
    plan: _Plan = "",
    base: Annotated[str, typer.Option(help="the function, such as minus or limit")],
    dry_run: DryRun = False,
    check_index: CheckIndex = "",
) -> None:
    """Define a plan, or define it anew.

    Example: dsmtc plan set --plan goodNodes --base minus left=all_nodes right=failed
    """
    session = session_of(context)
    plan, given = plan_and_parameters(plan, planned)
    if dry_run:
        look(session, session.client.preview_plan(session.slice, plan, base, given), check_index)
    made = session.client.define_plan(session.slice, plan, base, given, check_index=check_index)
    session.out.answer(made, lambda: [plan_line(made), *motion_lines(made.get("motion"))])


@app.command("list")
def list_plans(context: typer.Context) -> None:
    """List the slice's plans, and the functions.

    Example: dsmtc plan list
    """
    session = session_of(context)
    found = session.client.plans(session.slice)
    session.out.answer(found, lambda: plans(found))


@app.command("show")
def show_plan(context: typer.Context, plan_name: _Name = "", *, plan: _Plan = "") -> None:
    """Show one plan.

    Example: dsmtc plan show goodNodes
    """
    session = session_of(context)
    plan, _ = plan_and_parameters(plan, [plan_name] if plan_name else [])
    found = session.client.plan(session.slice, plan)
    session.out.answer(found, lambda: [plan_line(found)])


@app.command("delete")
def delete_plan(context: typer.Context, plan_name: _Name = "", *, plan: _Plan = "") -> None:
    """Delete a plan that nothing uses.

    Example: dsmtc plan delete --plan goodNodes
    """
    session = session_of(context)
    plan, _ = plan_and_parameters(plan, [plan_name] if plan_name else [])
    session.client.delete_plan(session.slice, plan)
    session.out.answer({"name": plan, "deleted": True}, lambda: [f"plan {plan} is deleted"])


@app.command("explain")
def explain_plan(
    context: typer.Context,
    planned: _Words = None,
    *,
    plan: _Plan = "",
    node: Annotated[str, typer.Option(help="such as node1.example.org")],
) -> None:
    """Tell why a plan or function has a node in or out now, and which function decided.

    Example: dsmtc plan explain --plan only3 --node node1.example.org
    """
    session = session_of(context)
    plan, given = plan_and_parameters(plan, planned)
    found = session.client.explain(session.slice, plan, given, node)
    session.out.answer(found, lambda: explanation(found))


@app.command("functions")
def list_functions(context: typer.Context) -> None:
    """List the functions of which plans are made.

    Example: dsmtc plan functions
    """
    session = session_of(context)
    found = session.client.functions()
    session.out.answer(found, lambda: functions(found))


@app.command("eval")
def eval_plan(context: typer.Context, planned: _Words = None, *, plan: _Plan = "") -> None:
    """Show which nodes a plan or function selects now, and why; changes nothing.

    Example: dsmtc plan eval limit count=10
    """
    session = session_of(context)
    plan, given = plan_and_parameters(plan, planned)
    found = session.client.evaluate(session.slice, plan, given)
    session.out.answer(found, lambda: evaluation(found))
