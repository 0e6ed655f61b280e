"""What is stored: the tables and their history agree, and only one planner writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from dsmt_core.errors import Conflict, Invalid, Unavailable
from dsmt_core.names import Account, Slice
from planner.store import Database, settings, slices
from planner.store.database import sqlite_url
from planner.store.slices import NewSlice
from planner.store.tables import METADATA, REVISION
from planner.store.wanted import load_wanted
from tests.contract.store import StoreContract

S1 = Slice("s1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path))
    yield made
    made.close_now()


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database, tmp_path: Path) -> None:
    database.close_now()
    with create_engine(sqlite_url(tmp_path)).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        # A start compares the two, and migrates where they differ: the last migration has to be named.
        assert settings.revision(connection) == REVISION
    connection.engine.dispose()


def test_a_second_planner_on_the_database_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another planner"):
        Database(sqlite_url(tmp_path))
    database.close_now()
    again = Database(sqlite_url(tmp_path))
    assert again.epoch == database.epoch + 1
    again.close_now()


class TestStoreOnSqlite(StoreContract):
    """The contract of a store."""


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://x", "sqlite://"])
def test_a_database_that_cannot_be_one_is_refused_plainly(url: str) -> None:
    with pytest.raises(Invalid):
        Database(url)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "planner.sqlite").write_text("this is not a database, and long enough to be read as none")
    with pytest.raises(Unavailable):
        Database(sqlite_url(tmp_path))
    (tmp_path / "planner.sqlite").unlink()
    Database(sqlite_url(tmp_path)).close_now()


async def test_a_database_that_another_program_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.store.database._BUSY_MS", 50)
    database = await Database.open(sqlite_url(tmp_path))
    other = sqlite3.connect(tmp_path / "planner.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="locked by another program"):
        await database.write(slices.make, NewSlice(slice=S1, owner=Account("me")))
    other.execute("ROLLBACK")
    other.close()
    await database.write(slices.make, NewSlice(slice=S1, owner=Account("me")))
    await database.close()
    with pytest.raises(Unavailable, match="ending"):
        await database.read(load_wanted)
    await database.close()
