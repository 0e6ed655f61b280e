"""Rows of a slice are replaced by writing what differs, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from dsmt_core.names import Account, Slice
from planner.store import Database, slices
from planner.store.database import sqlite_url
from planner.store.differing import put_rows
from planner.store.slices import NewSlice
from planner.store.tables import SLIVERS

S1, S2 = Slice("s1"), Slice("s2")


def rows(slice_: Slice, **generations: int) -> list[dict[str, Any]]:
    return [
        {"slice": slice_, "host": host, "generation": generation, "retired": False}
        for host, generation in generations.items()
    ]


def stored(connection: Connection) -> list[tuple[str, str, int]]:
    asked = select(SLIVERS).order_by(SLIVERS.c.slice, SLIVERS.c.host)
    return [(row.slice, row.host, row.generation) for row in connection.execute(asked)]


def test_only_rows_that_differ_are_written(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    for name in (S1, S2):
        database.write_now(slices.make, NewSlice(slice=name, owner=Account("me")))

    def put(slice_: Slice, **generations: int) -> int:
        return database.write_now(put_rows, SLIVERS, slice_, rows(slice_, **generations))

    assert put(S1, a=1, b=1, c=1) == 3
    assert put(S2, a=7) == 1
    assert put(S1, a=1, b=1, c=1) == 0
    assert put(S1, a=1, b=2, d=2) == 3
    assert database.write_now(stored) == [("s1", "a", 1), ("s1", "b", 2), ("s1", "d", 2), ("s2", "a", 7)]
    assert put(S1) == 3
    assert database.write_now(stored) == [("s2", "a", 7)]
    database.close_now()
