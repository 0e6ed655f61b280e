"""The machines as people read them: all of them, or one with its facts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dsmtc.client import Node
from dsmtc.rendering.nodes import credentials
from dsmtc.rendering.standings import left, standing_column, windows
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import since

_NODE_STATES: Final = frozenset({"STATE"})
# Facts that are shown when all columns are.
_WIDE: Final = {
    "CPUS": "cpus",
    "MEMORY MB": "memory_mb",
    "DISK GB": "disk_free_gb",
    "LOAD": "load1",
    "VERSION": "dsmt_version",
}
# What else is known of a node, then.
_BESIDE: Final = ("SINCE", "FAILURES", "CLOCK", "LABELS")


def nodes(found: Sequence[Node], now: float, where: str = "") -> View:
    """All nodes, or those of which a condition is true."""
    if not found and where:
        return ["of no node this is true"]
    if not found:
        return ["no nodes yet; dsmtc nodes invite makes a token for dsmt-node"]
    standing, cells = standing_column(found)
    rows = [
        (
            each["host"],
            each["state"],
            *stands,
            since(each.get("heard_at"), now) or "never",
            " ".join(each.get("slivers", [])) or "-",
            *(each.get("facts", {}).get(fact, "-") for fact in _WIDE.values()),
            *_beside(each, now),
            _latest(each),
        )
        for each, stands in zip(found, cells, strict=True)
    ]
    columns = ("HOST", "STATE", *standing, "HEARD", "SLIVERS", *_WIDE, *_BESIDE, "EVIDENCE")
    return [Table(columns, rows, _NODE_STATES, wide=frozenset({*_WIDE, *_BESIDE}))]


def _beside(found: Node, now: float) -> tuple[str, str, str, str]:
    """What else is known of a node, in the columns that are shown to who asks for all."""
    off = found.get("clock_off_s")
    labels = " ".join(f"{name}={value}" for name, value in sorted(found.get("labels", {}).items()))
    return (
        since(found.get("since"), now) or "-",
        str(found.get("failures", "-")),
        "-" if off is None else f"{round(off, 1) + 0.0:+.1f}s",
        labels or "-",
    )


def node(found: Node, now: float) -> View:
    """One node with its facts."""
    evidence = [(since(each["when"], now), each["by"], each["what"]) for each in found.get("evidence", [])]
    facts = [(name, str(value)) for name, value in sorted(found.get("facts", {}).items())]
    view: list[Part] = list(nodes([found], now))
    view += [*windows(found.get("standing"), now), *left(found.get("standing"))]
    view += credentials(found, now)
    view += ["", Table(("SEEN", "BY", "EVIDENCE"), evidence)] if evidence else []
    if health := found.get("health"):
        told = [(name, str(value)) for name, value in health.items() if name != "heard_at"]
        view += ["", Table(("HEALTH", f"{since(health['heard_at'], now)} AGO"), told)]
    labels = sorted(found.get("labels", {}).items())
    view += ["", Table(("LABEL", "VALUE"), labels)] if labels else []
    return [*view, "", Table(("FACT", "VALUE"), facts)]


def _latest(found: Node) -> str:
    evidence = found.get("evidence", [])
    copied = ["two machines have its key: one is a copy"] if found.get("copied_at") else []
    return "; ".join([*copied, *(found.get("unwell") or []), *([evidence[-1]["what"]] if evidence else [])])
