"""How a roll-out goes: the options that every verb takes which starts one."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.durations import seconds

Waves = Annotated[str, typer.Option(metavar="W,W,…", help="hosts or percentages, ascending")]
MinHealthy = Annotated[str, typer.Option(metavar="TIME", help="how long a host has to run well")]
Deadline = Annotated[str, typer.Option(metavar="TIME", help="then a host counts as failed")]
Errors = Annotated[str, typer.Option(help="so many failed hosts (3, 10%), and it goes back")]
Need = Annotated[str, typer.Option(metavar="PERCENT", help="of a wave that has to be well")]
Follow = Annotated[bool, typer.Option("--follow", help="show it to its end")]
Timeout = Annotated[str, typer.Option(metavar="TIME", help="of --follow; then exit code 7")]


def sizes(waves: str) -> list[str]:
    """The sizes of waves as they are written on a command line."""
    return [one.strip() for one in waves.split(",") if waves]


def chosen(min_healthy: str, deadline: str, errors: str, need: str) -> dict[str, object]:
    """What is chosen, as the planner takes it; what is left out is the default.

    Raises:
        Invalid: a time is not one.
    """
    times = {"min_healthy_s": ("--min-healthy", min_healthy), "deadline_s": ("--deadline", deadline)}
    read: dict[str, object] = {
        name: seconds(text, option) for name, (option, text) in times.items() if text
    }
    return read | {name: text for name, text in (("errors", errors), ("need", need)) if text}


def limit(timeout: str) -> float | None:
    """The time limit of ``--follow``, seconds.

    Raises:
        Invalid: it is not a time.
    """
    return seconds(timeout, "--timeout") if timeout else None
