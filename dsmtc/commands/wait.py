"""``dsmtc wait``: until so many instances are in a state, or a roll-out is done."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from dsmt_core.errors import DeadlinePassed
from dsmtc.awaited import Wish, sentence, waited
from dsmtc.client.waited import Waited
from dsmtc.commandline import Misused
from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.polling import Asking, polled
from dsmtc.progress import Ticker
from dsmtc.rolling import follow
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_STATES = ("running", "failed", "terminated", "requested", "instantiated", "initialized", "installed")


@app.command()
def wait(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    *,
    state: Annotated[str, typer.Option(help="of the life cycle, such as running")] = "",
    count: Annotated[int | None, typer.Option(min=0, help="so many; else all that are wanted")] = None,
    application: Annotated[str, typer.Option(help="only of this one")] = "",
    version: Annotated[str, typer.Option(help="only at this version")] = "",
    rollout: Annotated[str, typer.Option(metavar="done", help="until the roll-out is done")] = "",
    timeout: Annotated[str, typer.Option(metavar="TIME", help="then exit code 7")] = "",
) -> None:
    """Wait until so many instances are in a state, or until a roll-out is done.

    Exit code 0: reached. 7: the time is over; what lacks is told, and why. 8: the roll-out went back.

    Example: dsmtc wait --state running --count 8 --timeout 60
    """
    session = session_of(context)
    limit = seconds(timeout, "--timeout") if timeout else None
    if rollout:
        if rollout != "done" or state or count is not None or version:
            raise Misused("a roll-out is waited for until it is done", hint="dsmtc wait --rollout done")
        follow(session, named(session, application), timeout_s=limit)
        return
    wish = Wish(_state(state or "running"), count, application, version)
    last: list[Waited] = []
    try:
        with Ticker() as ticker:
            for answer in _answers(session, wish, limit):
                last[:] = [answer]
                ticker.tell(sentence(answer))
    finally:
        for answer in last:
            session.out.answer(answer, partial(iter, [sentence(answer)]))


def _answers(session: Session, wish: Wish, limit: float | None) -> Iterator[Waited]:
    slice_ = session.slice

    def late(answer: Waited | None) -> DeadlinePassed:
        said = sentence(answer) if answer else "nothing is known"
        return DeadlinePassed(
            f"not {wish.text} within {limit:g} s: {said}", hint="dsmtc status tells what waits, and why"
        )

    def ask() -> Waited:
        return waited(wish, session.client.status(slice_))

    asking = Asking(ask, lambda answer: answer["reached"], late)
    return polled(session, asking, timeout_s=limit)


def _state(text: str) -> str:
    if text not in _STATES:
        raise Misused(f"there is no state {text[:40]!r}", hint=f"the states are {', '.join(_STATES)}")
    return text
