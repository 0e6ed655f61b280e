"""``dsmtc guard``: how many hosts a slice may ask for, and how fast that may change."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmt_core.guards import Guard
from dsmtc.client import GuardShown
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def guard(
    context: typer.Context,
    *,
    least: Annotated[int | None, typer.Option(help="never ask for fewer hosts")] = None,
    most: Annotated[int | None, typer.Option(help="never ask for more")] = None,
    step: Annotated[int | None, typer.Option(help="so many more or fewer at once")] = None,
    cool_down: Annotated[float | None, typer.Option(help="seconds between two changes")] = None,
) -> None:
    """Show the guard rails of a slice, or set those that are named (pi, admin); 0 takes one away.

    Example: dsmtc guard --slice SLICENAME --least 2 --most 20 --step 2 --cool-down 60
    """
    session = session_of(context)
    name = session.slice
    found = session.client.guard(name)
    if (least, most, step, cool_down) != (None, None, None, None):
        rails = Guard(
            least=found["least"] if least is None else least,
            most=found["most"] if most is None else most,
            step=found["step"] if step is None else step,
            cool_down_s=found["cool_down_s"] if cool_down is None else cool_down,
        )
        found = session.client.set_guard(name, rails)
    session.out.answer(found, lambda: [_line(found)])


def _line(found: GuardShown) -> str:
    rails = Guard(
        least=found["least"], most=found["most"], step=found["step"], cool_down_s=found["cool_down_s"]
    )
    return f"guard rails of {found['slice']}: {rails.text}; it asks for {found['asks']} now"
