"""What is stored: the tables and their history agree, and only one planner writes."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from dsmt_core.errors import Conflict, Invalid, NotFound, Unavailable
from dsmt_core.names import Account, Application, Host, PlanName, Slice
from planner.fleet import SeenRow
from planner.steps import SliceChange
from planner.store import Database, accounts, nodes, settings, slices
from planner.store.database import sqlite_url
from planner.store.nodes import Joined
from planner.store.slices import NewSlice
from planner.store.tables import METADATA
from planner.store.wanted import commit, load_slice, load_wanted
from planner.wanted import Placement, Plan

S1 = Slice("s1")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(sqlite_url(tmp_path))


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database, tmp_path: Path) -> None:
    database.close_now()
    with create_engine(sqlite_url(tmp_path)).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    connection.engine.dispose()


def test_a_second_planner_on_the_database_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another planner"):
        Database(sqlite_url(tmp_path))
    database.close_now()
    again = Database(sqlite_url(tmp_path))
    assert again.epoch == database.epoch + 1
    again.close_now()


def test_a_planner_that_was_replaced_can_write_nothing_more(database: Database) -> None:
    database.write_now(settings.put, settings.EPOCH, "99")
    with pytest.raises(Conflict, match="taken over"):
        database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    database.close_now()


def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    def half(connection: Connection) -> None:
        slices.make(connection, NewSlice(slice=S1, owner=Account("me")))
        raise NotFound("the other half")

    with pytest.raises(NotFound):
        database.write_now(half)
    assert database.write_now(load_wanted).slices == {}
    database.close_now()


def test_what_a_round_decides_is_read_back(database: Database) -> None:
    database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    database.write_now(slices.put_plan, S1, Plan(PlanName("p"), "limit", {"count": "3"}))
    placement = Placement(
        slice=S1, host=Host("h1"), application=Application("a"), version="1-1", generation=4
    )
    change = SliceChange(
        slice=S1, generation=4, hosts={Host("h1"): 4}, retired={Host("h2"): 3}, placements=(placement,)
    )
    gone = SliceChange(slice=Slice("gone"), generation=1, hosts={}, retired={}, placements=())
    stored = database.write_now(commit, [change, gone])
    assert [one.name for one in stored] == [S1]
    read = database.write_now(load_slice, S1)
    assert read == stored[0]
    assert read is not None
    assert (read.generation, read.hosts, read.retired) == (4, {"h1": 4}, {"h2": 3})
    assert read.placements == (placement,)
    assert read.plans[PlanName("p")].parameters == {"count": "3"}
    older = SliceChange(slice=S1, generation=2, hosts={}, retired={}, placements=())
    assert database.write_now(commit, [older])[0].generation == 4
    database.close_now()


def test_a_deleted_slice_takes_all_that_is_its_own_along(database: Database) -> None:
    database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    database.write_now(slices.put_plan, S1, Plan(PlanName("p"), "failed"))
    database.write_now(slices.remove, S1)
    for table in ("plans", "members", "slivers", "placements", "packages", "applications"):
        assert database.write_now(_rows, table) == 0
    database.close_now()


def _rows(connection: Connection, table: str) -> int:
    counted = connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of the test's own
    return int(counted.scalar_one())


def test_seen_of_a_node_that_was_forgotten_is_dropped(database: Database) -> None:
    database.write_now(nodes.join, Joined(Host("h1"), "x" * 64, "b", 1.0))
    rows = [SeenRow(Host("h1"), Slice(""), {"a": 1}), SeenRow(Host("h2"), Slice(""), {"a": 2})]
    database.write_now(nodes.write_behind, rows)
    assert database.write_now(nodes.load_seen) == rows[:1]
    database.write_now(nodes.write_behind, [SeenRow(Host("h1"), Slice(""), None)])
    assert database.write_now(nodes.load_seen) == []
    database.write_now(nodes.write_behind, rows)
    database.write_now(nodes.forget, Host("h1"))
    assert database.write_now(nodes.load_seen) == []
    database.close_now()


def test_tokens_and_invitations_end(database: Database) -> None:
    database.write_now(accounts.make, accounts.Person(Account("me"), "", ("user",)), now=0.0)
    login = accounts.Login(Account("me"), "user", 10.0)
    database.write_now(accounts.add_token, "t" * 64, login, now=0.0)
    assert database.write_now(accounts.login_of, "t" * 64, now=9.9) == login
    assert database.write_now(accounts.login_of, "t" * 64, now=10.0) is None
    database.write_now(nodes.invite, "i" * 64, by=Account("me"), expires_at=5.0, now=0.0)
    assert database.write_now(nodes.is_invited, "i" * 64, now=4.9)
    assert not database.write_now(nodes.is_invited, "i" * 64, now=5.0)
    database.close_now()


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


async def test_many_at_once_are_served_one_after_the_other(tmp_path: Path) -> None:
    database = await Database.open(sqlite_url(tmp_path))
    made = [NewSlice(slice=Slice(f"s{number}"), owner=Account("me")) for number in range(50)]
    await asyncio.gather(*(database.write(slices.make, one) for one in made))
    assert len((await database.read(load_wanted)).slices) == 50
    await database.close()
