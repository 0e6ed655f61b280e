"""What the page of the fleet shows: rows of nodes, chosen and ordered, and what changed. Pure.

The problem comes first: without another order, nodes that failed stand above those in doubt, and these
above those that are well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dsmtc.client import HostStatus, Node, SliceStatus
from dsmtc.rendering.health import headline, is_well
from dsmtc.rendering.standings import told
from dsmtc.rendering.table import Piece
from dsmtc.rendering.text import clean, cut, since

FLEET: Final = ("HOST", "NODE", "HEARD", "SLIVERS", "LOAD", "DISK", "NOTE")
OF_SLICE: Final = ("HOST", "NODE", "HEARD", "CONTAINER", "AGENT", "APPLICATION", "VERSION", "SINCE", "NOTE")
STATES: Final = frozenset({"NODE", "CONTAINER", "AGENT", "APPLICATION"})
# More rows are not looked through by a person; a filter finds the others.
MOST: Final = 2_000
_WORST: Final = {"failed": 0, "suspect": 1, "probation": 2}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the planner said at one moment.

    Attributes:
        at: seconds since the epoch.
        nodes: all of them.
        status: of the slice that is looked at; None: the whole fleet is.
    """

    at: float
    nodes: Sequence[Node]
    status: SliceStatus | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A node on the page.

    Attributes:
        host: its name.
        cells: as they are shown, harmless.
        rank: how bad it is; the least is the worst.
        keys: what each column is ordered by.
    """

    host: str
    cells: tuple[str, ...]
    rank: int
    keys: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """How it is looked at.

    Attributes:
        filter: only rows in which each of these words occurs.
        column: ordered by this one; -1: the problem first.
        reverse: the other way round.
    """

    filter: str = ""
    column: int = -1
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """What is shown.

    Attributes:
        columns: the headings.
        rows: at most `MOST`.
        hidden: how many more there are for this filter.
        summary: the whole in a line.
    """

    columns: tuple[str, ...]
    rows: list[Row]
    hidden: int = 0
    summary: tuple[Piece, ...] = field(default=())


def board(snapshot: Snapshot, look: Look) -> Board:
    """What is shown of a snapshot."""
    columns, rows = _rows(snapshot)
    words = look.filter.lower().split()
    found = [row for row in rows if all(word in " ".join(row.cells).lower() for word in words)]
    if 0 <= look.column < len(columns):
        found.sort(key=lambda row: (_kind(row.keys[look.column]), row.host), reverse=look.reverse)
    else:
        found.sort(key=lambda row: (row.rank, row.host), reverse=look.reverse)
    return Board(columns, found[:MOST], max(len(found) - MOST, 0), _summary(snapshot))


def changes(before: Snapshot | None, after: Snapshot) -> list[str]:
    """What is different, a line each; nothing at first."""
    if before is None:
        return []
    known, now = _said(before), _said(after)
    lines = [
        f"{what}: {known[what]} -> {told}" for what, told in now.items() if known.get(what, told) != told
    ]
    lines += [f"{what}: {told}, new" for what, told in now.items() if what not in known]
    return lines + [f"{what}: gone" for what in known if what not in now]


def _said(snapshot: Snapshot) -> dict[str, str]:
    said = {one["host"]: one["state"] for one in snapshot.nodes}
    for host in snapshot.status["hosts"] if snapshot.status else ():
        for one in host["applications"]:
            said[f"{one['application']} on {host['host']}"] = f"{one['state']} {one['version']}".rstrip()
    return {clean(what): clean(told) for what, told in said.items()}


def _rows(snapshot: Snapshot) -> tuple[tuple[str, ...], list[Row]]:
    if snapshot.status is None:
        return FLEET, [_of_fleet(one, snapshot.at) for one in snapshot.nodes]
    return OF_SLICE, [_of_slice(host, snapshot.at) for host in snapshot.status["hosts"]]


def _of_fleet(node: Node, now: float) -> Row:
    facts: Mapping[str, str] = node.get("facts", {})
    heard = node.get("heard_at")
    notes = [*(node.get("unwell") or []), *(one["what"] for one in node.get("evidence", [])[-1:])]
    if standing := told(node.get("standing")):
        notes.insert(0, standing)
    load, disk = facts.get("load1", ""), facts.get("disk_free_gb", "")
    cells = (
        node["host"],
        node["state"],
        since(heard, now) or "never",
        str(len(node["slivers"])),
        load,
        f"{disk} GiB" if disk else "",
        "; ".join(notes),
    )
    keys = (node["host"], node["state"], _age(heard, now), len(node["slivers"]), _float(load), _float(disk))
    return _row(cells, _WORST.get(node["state"], 3 if notes else 4), (*keys, cells[-1]))


def _of_slice(host: HostStatus, now: float) -> Row:
    applications = host["applications"]
    first = applications[0] if applications else None
    notes = [one["reason"] or (one["text"] if one["state"] != "running" else "") for one in applications]
    notes = [note for note in [host["reason"], *(host.get("unwell") or []), *notes] if note]
    at = first["since"] if first else None
    cells = (
        host["host"],
        host["node_state"],
        since(host.get("heard_at"), now) or "-",
        host["container"],
        host["agent"],
        ", ".join(f"{one['application']} {one['state']}" for one in applications) or "-",
        ", ".join(one["version"] or one["wanted_version"] for one in applications),
        since(at, now),
        "; ".join(notes),
    )
    rank = _WORST.get(host["node_state"], 4 if is_well(host) else 3)
    if any(one["state"] == "failed" for one in applications):
        rank = 0
    keys = (cells[0], cells[1], _age(host.get("heard_at"), now), *cells[3:7], _age(at, now), cells[8])
    return _row(cells, rank, keys)


def _row(cells: tuple[str, ...], rank: int, keys: tuple[float | str, ...]) -> Row:
    harmless = tuple(clean(cut(cell)) for cell in cells)
    return Row(cells[0], harmless, rank, keys)


def _summary(snapshot: Snapshot) -> tuple[Piece, ...]:
    counts = Counter(one["state"] for one in snapshot.nodes)
    states = sorted(counts, key=lambda state: _WORST.get(state, 9))
    nodes = [Piece(f"{counts[state]} {state}", state=state) for state in states]
    if snapshot.status is None:
        return Piece(f"{len(snapshot.nodes)} nodes:"), *nodes
    return Piece(f"{snapshot.status['slice']}:"), *headline(snapshot.status), Piece(" nodes:"), *nodes


def _age(at: object, now: float) -> float:
    return now - at if isinstance(at, int | float) and at else 1e12


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _kind(key: float | str) -> tuple[int, float, str]:
    return (0, key, "") if isinstance(key, int | float) else (1, 0.0, key)
