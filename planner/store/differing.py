"""Rows of a slice as they should be: only those that differ from what is stored are written.

A round that moves one of ten thousand slivers has two rows to write, and the disk is what costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select

from dsmt_core.names import Slice


def put_rows(connection: Connection, table: Table, slice_: Slice, rows: Iterable[Mapping[str, Any]]) -> int:
    """Make the rows of a slice in ``table`` those that are given.

    Args:
        connection: in a transaction.
        table: with a column ``slice`` in its key.
        slice_: whose rows.
        rows: all of them, each with all columns.

    Returns:
        How many were written or deleted.
    """
    columns = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key.columns]
    places = [columns.index(name) for name in keys]
    asked = select(table).where(table.c.slice == slice_)
    stored = {tuple(row[place] for place in places): tuple(row) for row in connection.execute(asked)}
    wanted = {tuple(row[name] for name in keys): row for row in rows}
    changed = {
        key: row for key, row in wanted.items() if stored.get(key) != tuple(row[name] for name in columns)
    }
    gone = [key for key in stored if key not in wanted or key in changed]
    swap_rows(connection, table, gone, changed.values())
    return len(changed.keys() | set(gone))


def swap_rows(
    connection: Connection,
    table: Table,
    gone: Iterable[tuple[Any, ...]],
    come: Iterable[Mapping[str, Any]],
) -> None:
    """Delete the rows with these keys, then insert those rows; a key that is not there is passed over."""
    names = [column.name for column in table.primary_key.columns]
    if keys := [dict(zip((f"of_{name}" for name in names), key, strict=True)) for key in gone]:
        connection.execute(
            delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in names)), keys
        )
    if rows := [dict(row) for row in come]:
        connection.execute(insert(table), rows)
