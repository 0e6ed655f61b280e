"""Passages (`planner.past`): appended, read for a time, and forgotten when they are old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from dsmt_core.errors import Full
from dsmt_core.names import Host, Slice
from planner.past.passages import Passage
from planner.store import reasons, settings
from planner.store.past_table import PASSAGES, REASONS

# More than this is no page that somebody looks at: some 30 bytes each, in memory.
MOST: Final = 500_000
_SEEN_AT: Final = "past_seen_at"
# As a `Passage` is written.
_ASKED: Final = select(
    *(PASSAGES.c[name] for name in ("at", "host", "slice", "part", "state")),
    func.coalesce(REASONS.c.text, "").label("why"),
).join_from(PASSAGES, REASONS, PASSAGES.c.reason == REASONS.c.number, isouter=True)


def append(connection: Connection, passages: Sequence[Passage], seen_at: float) -> None:
    """Write what passed, and that somebody looked until ``seen_at``."""
    if passages:
        numbers = reasons.numbered(connection, passages)
        rows = [one._asdict() | {"reason": numbers.get(one.reason)} for one in passages]
        connection.execute(insert(PASSAGES), rows)
    settings.put(connection, _SEEN_AT, repr(seen_at))


def seen_at(connection: Connection) -> float:
    """Until when somebody looked; 0 when nobody ever did."""
    return float(settings.get(connection, _SEEN_AT) or 0.0)


def at(connection: Connection, moment: float, slices: Collection[Slice] | None = None) -> list[Passage]:
    """The last passage of each part at a moment, in order of time; of what was gone then, none.

    Args:
        connection: to the database.
        moment: seconds since the epoch.
        slices: only of these, of the nodes, and of the planner; None: of all.
    """
    last = (
        select(func.max(PASSAGES.c.number))
        .where(PASSAGES.c.at <= moment, *_of(slices))
        .group_by(PASSAGES.c.host, PASSAGES.c.slice, PASSAGES.c.part)
    )
    asked = _ASKED.where(PASSAGES.c.number.in_(last), PASSAGES.c.state != "")
    return [_read(row) for row in connection.execute(asked.order_by(PASSAGES.c.at, PASSAGES.c.number))]


def between(  # noqa: PLR0913 - each narrows what is read
    connection: Connection,
    begin: float,
    end: float,
    slices: Collection[Slice] | None = None,
    most: int | None = None,
    *,
    host: Host | None = None,
) -> list[Passage]:
    """What passed after ``begin`` and until ``end``, in order of time; the first ``most``, if it is said.

    Args:
        connection: to the database.
        begin: seconds since the epoch.
        end: the same.
        slices: as for `at`.
        most: how many at most.
        host: only of this one; None: of all, and of the planner.

    Raises:
        Full: it is more than `MOST`.
    """
    asked = _ASKED.where(PASSAGES.c.at > begin, PASSAGES.c.at <= end, *_of(slices))
    if host is not None:
        asked = asked.where(PASSAGES.c.host == host)
    bounded = asked.order_by(PASSAGES.c.at, PASSAGES.c.number).limit(most or MOST + 1)
    rows = connection.execute(bounded).all()
    if len(rows) > MOST:
        raise Full(
            f"more than {MOST:,} things passed in that time", hint="ask for a shorter time, or one slice"
        )
    return [_read(row) for row in rows]


def prune(connection: Connection, before: float) -> int:
    """Forget what passed before a moment, but for the last state of each part; how many went."""
    last = (
        select(func.max(PASSAGES.c.number))
        .where(PASSAGES.c.at < before)
        .group_by(PASSAGES.c.host, PASSAGES.c.slice, PASSAGES.c.part)
    )
    old = PASSAGES.c.at < before
    reasons.prune(connection, before)
    gone = or_(PASSAGES.c.number.not_in(last), PASSAGES.c.state == "")
    return int(connection.execute(delete(PASSAGES).where(old, gone)).rowcount)


def _of(slices: Collection[Slice] | None) -> list[ColumnElement[bool]]:
    return [] if slices is None else [PASSAGES.c.slice.in_([Slice(""), *slices])]


def _read(row: object) -> Passage:
    return Passage(*row)  # type: ignore[misc]
