"""Nodes that are not trusted, since when and why, and with what a node shows to be itself. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from dsmtc.client import Evidence, Node
from dsmtc.rendering.standings import standing_column
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import since, span

_NODE_STATES: Final = frozenset({"STATE"})
# So many of the last notes stand in the table; the others are a command away.
_LAST: Final = 3


def failed_nodes(found: Sequence[Node], now: float) -> View:
    """The nodes that failed or are not trusted yet, and those that are left alone by one slice."""
    view: list[Part] = []
    if untrusted := [each for each in found if each["state"] != "alive"]:
        view.append(_untrusted(untrusted, now))
    misfits = [
        (
            each["host"],
            one["slice"],
            f"{one['application']} {one['version']}",
            str(one["failures"]),
            _in(one["until"], now),
            one["reason"],
        )
        for each in found
        for one in each.get("misfits") or []
    ]
    if misfits:
        columns = ("HOST", "FAILED FOR SLICE", "APPLICATION", "FAILURES", "TRIED AGAIN", "EVIDENCE")
        view += ["", Table(columns, misfits)] if view else [Table(columns, misfits)]
    return view or ["all nodes are well"]


def _untrusted(found: Sequence[Node], now: float) -> Table:
    # A node that people have taken out of service is silent for another reason.
    standing, cells = standing_column(found)
    rows = [
        (
            each["host"],
            each["state"],
            *stands,
            since(each.get("since"), now) or "-",
            str(each.get("failures", "-")),
            _next(each, now),
            since(each.get("heard_at"), now) or "never",
            " ".join(each["slivers"]) or "-",
            "; ".join(_told(note) for note in each["evidence"][-_LAST:]) or "-",
        )
        for each, stands in zip(found, cells, strict=True)
    ]
    columns = ("STATE", *standing, "SINCE", "FAILURES", "TRIED AGAIN", "HEARD", "SLIVERS", "EVIDENCE")
    return Table(("HOST", *columns), rows, _NODE_STATES, frozenset({"HEARD", "SLIVERS"}))


def evidence(found: Node, now: float) -> View:
    """Everything that was noticed of one node, the latest last."""
    notes = [(since(note["when"], now), note["by"], _told(note)) for note in found["evidence"]]
    failures = found.get("failures", 0)
    times = "once" if failures == 1 else f"{failures} times"
    said = f"{found['host']} is {found['state']}"
    said += f", failed {times}" if failures else ""
    said += f"; tried again {_next(found, now)}" if found["state"] in {"failed", "probation"} else ""
    view: list[Part] = [said]
    if notes:
        view += ["", Table(("SEEN", "BY", "EVIDENCE"), notes)]
    return view


def _told(note: Evidence) -> str:
    times = note.get("times", 1)
    return f"{note['what']} ({times} times)" if times > 1 else note["what"]


def _next(node: Node, now: float) -> str:
    """When a node will be tried again."""
    standing = node.get("standing")
    if standing and "distrusted" in standing:
        return "when it is trusted"
    if node["state"] == "failed":
        return "when it is heard"
    if node["state"] != "probation":
        return "-"
    if node.get("probed"):
        return "now: a probe is under way"
    return _in(node.get("out_until") or 0.0, now)


def _in(moment: float, now: float) -> str:
    left = moment - now
    return "now" if left <= 0 else f"in {span(left)}"


def credentials(found: Node, now: float) -> list[str]:
    """What a node shows to be itself; and what to do where two machines show the same."""
    said = []
    certificate = found.get("certificate")
    if certificate and certificate["fingerprint"]:
        ends = time.strftime("%Y-%m-%d", time.gmtime(certificate["ends"]))
        verb = "ended" if certificate["ends"] < now else "valid until"
        said.append(f"certificate {certificate['fingerprint'][:23]}… {verb} {ends}")
    if copied_at := found.get("copied_at"):
        said.append(
            f"two machines had its key {since(copied_at, now)} ago: one is a copy of the other; "
            f"for the right one: dsmtc nodes reinvite {found['host']}"
        )
    return said
