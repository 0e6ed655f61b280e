"""Who answered a ping in how many milliseconds, and who did not, since when and why. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from dsmtc.client.looked_in import PingLine
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import clean, since

_STATES: Final = frozenset({"NODE", "AGENT"})


def counted(told: Sequence[PingLine]) -> tuple[int, int]:
    """How many were asked, and how many answered."""
    asked = sum(line.get("asked", 0) for line in told)
    return asked, sum("ms" in line for line in told)


def answered(line: PingLine) -> str:
    """One answer, as soon as it is there."""
    return clean(f"{line.get('ms', 0.0):7.1f} ms  {line.get('host', '')}")


def rest(told: Sequence[PingLine], now: float) -> View:
    """What is to be said at the end: who did not answer, and the whole in a line."""
    rows = [
        (
            line.get("host", ""),
            line.get("node_state", "-"),
            since(line.get("heard_at"), now) or "never",
            line.get("agent", "-"),
            since(line.get("agent_since"), now) or "-",
            line["trouble"],
        )
        for line in told
        if "trouble" in line
    ]
    if rows:
        yield ""
        yield Table(("NO ANSWER", "NODE", "HEARD", "AGENT", "SINCE", "BECAUSE"), sorted(rows), _STATES)
        yield ""
    yield summary(told)


def table(told: Sequence[PingLine], now: float) -> View:
    """All of it as one table; its names are those who answered."""
    lines = sorted((line for line in told if "host" in line), key=_order)
    rows = [
        (
            line.get("host", ""),
            f"{line['ms']:.1f}" if "ms" in line else "-",
            line.get("node_state", ""),
            since(line.get("heard_at"), now),
            line.get("agent", ""),
            since(line.get("agent_since"), now),
            line.get("trouble", ""),
        )
        for line in lines
    ]
    there = [line.get("host", "") for line in lines if "ms" in line]
    yield Table(("HOST", "MS", "NODE", "HEARD", "AGENT", "SINCE", "BECAUSE"), rows, _STATES, named=there)
    yield summary(told)


def summary(told: Sequence[PingLine]) -> str:
    """How many answered, and how fast."""
    asked, there = counted(told)
    took = [line["ms"] for line in told if "ms" in line]
    said = f"{there} of {asked} answered"
    if not took:
        return said
    return f"{said}: {min(took):.1f} to {max(took):.1f} ms, median {statistics.median(took):.1f} ms"


def _order(line: PingLine) -> tuple[bool, float, str]:
    return "ms" not in line, line.get("ms", 0.0), line.get("host", "")
