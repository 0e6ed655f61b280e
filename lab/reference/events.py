"""What the parts of DSMT say and hear, from the table by which the planner judges what is said."""

from __future__ import annotations

from collections.abc import Iterator

from dsmt_core.services import Direction, Use
from lab.reference.tables import code, plain, table
from planner.catalogue.parts import PARTS


def channels() -> str:
    """Every part, with every channel and field."""
    parts = [
        "# Channels and fields\n",
        "Made from the table by which the planner knows its own parts; `*` is any one segment.\n",
        "What the events carry stands in [the protocol](protocol.md), section 2.\n",
    ]
    for part in PARTS:
        parts += [f"## {plain(part.service)}\n", f"{plain(part.text[:1].upper() + part.text[1:])}.\n"]
        parts.append(table(("", "channel", "field", "at least every"), _rows(part.uses)))
    return "\n".join(parts)


def _rows(uses: tuple[Use, ...]) -> Iterator[tuple[str, str, str, str]]:
    for use in uses:
        word = "says" if use.direction is Direction.GENERATES else "hears"
        often = f"{use.greatest_s:g} s" if use.greatest_s else ""
        yield word, code(use.channel), code(use.field) or "any", often
