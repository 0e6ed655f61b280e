"""``dsmtc create``: a slice, managed from its first moment."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import Misused, belonging, parameters
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.parameters import read_parameters
from dsmtc.rendering.views import slice_line
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def create(  # noqa: PLR0913 - one option a property
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="after --agent A or --plan P: its parameters"),
    ] = None,
    *,
    agent: Annotated[str, typer.Option(help="the installation agent")] = "",
    plan: Annotated[str, typer.Option(help="the node selection")] = "",
    member: Annotated[list[str] | None, typer.Option(help="who may use it too; may be repeated")] = None,
    description: Annotated[str, typer.Option(help="what it is for")] = "",
    url: Annotated[str, typer.Option(help="of a page about it")] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="it is wanted so long, such as 90d")] = "",
) -> None:
    """Make a slice and manage it (pi or admin).

    Two --user: first who acts, then the slice's user.

    Example: dsmtc create --user PIACCOUNT --password PIPASSWORD --role PI --user USER --slice SLICE
    """
    session = session_of(context)
    if not session.common.slice:
        raise Misused("create needs --slice NAME")
    of_agent, of_plan = belonging(session.words, "agent"), belonging(session.words, "plan")
    if len(words or []) != len(of_agent) + len(of_plan):
        raise Misused("a parameter belongs to no --agent or --plan", hint="put name=value right after it")
    made = session.client.create(
        session.common.slice,
        user=session.parties.member,
        members=member or (),
        agent=(agent, parameters(of_agent)) if agent else None,
        plan=(plan, read_parameters(of_plan)) if plan else None,
        more=told_of(description, url, expires),
    )
    session.out.answer(made, lambda: [f"made {slice_line(made)}"])
    tell_new(session, made.get("accounts_made", []))


def told_of(description: str, url: str, expires: str) -> dict[str, object]:
    """What is said of a new slice, of what is said at all."""
    said: dict[str, object] = {"description": description, "url": url}
    said["lasts_s"] = seconds(expires, "--expires") if expires else None
    return {name: value for name, value in said.items() if value}


def tell_new(session: Session, accounts: list[str]) -> None:
    """Say which accounts were made on the way, and what they lack."""
    for account in accounts:
        session.out.story(f"account {account} is new and has no password: dsmtc account passwd {account}")
