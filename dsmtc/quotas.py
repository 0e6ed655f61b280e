"""Quotas as people write them on the command line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import typer

from dsmt_core.errors import Invalid
from dsmt_core.limits import size
from dsmtc.amounts import bytes_of
from dsmtc.commandline import Misused

NAMES: Final = ("nodes", "slivers", "memory", "depot-bytes", "events-per-second")

Nodes = Annotated[int | None, typer.Option(metavar="N", help="on how many nodes slivers may be")]
Slivers = Annotated[int | None, typer.Option(metavar="N", help="how many slivers there may be")]
Memory = Annotated[str, typer.Option(metavar="SIZE", help="of all their memory limits, such as 4G")]
Depot = Annotated[str, typer.Option("--depot-bytes", metavar="BYTES", help="in the depot, such as 20G")]
Events = Annotated[int | None, typer.Option("--events-per-second", metavar="N", help="said by programs")]
Clear = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help=f"no bound of {', '.join(NAMES)}; may be repeated")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would wait")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What stands on the command line."""

    numbers: Mapping[str, int | None] = field(default_factory=dict)
    memory: str = ""
    depot: str = ""
    clear: Sequence[str] = ()


def given(said: Said) -> dict[str, int]:
    """The bounds as the planner takes them; 0 takes one away.

    Raises:
        Misused: one of them cannot be read, or would mean nothing at all.
    """
    found = {name: value for name, value in said.numbers.items() if value is not None}
    if said.memory:
        found["memory"] = _memory(said.memory)
    if said.depot:
        found["depot_bytes"] = bytes_of(said.depot) or 0
    for name, value in found.items():
        if value <= 0 and not (name == "depot_bytes" and said.depot):
            shown = name.replace("_", "-")
            raise Misused(
                f"--{shown} {value} bounds nothing", hint=f"at least 1; --clear {shown} for no bound"
            )
    for name in said.clear:
        if name not in NAMES:
            raise Misused(f"--clear takes no {name[:40]!r}", hint=f"one of {', '.join(NAMES)}")
        key = name.replace("-", "_")
        if key in found:
            raise Misused(f"either --{name} or --clear {name}")
        found[key] = 0
    return found


def _memory(text: str) -> int:
    try:
        return size(text)
    except Invalid as error:
        raise Misused(error.message, hint=error.hint) from error
