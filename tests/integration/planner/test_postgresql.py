"""The store on PostgreSQL, where a server is installed: the same tables, the same refusal of a second."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from dsmt_core.errors import Conflict, Unavailable
from dsmt_core.names import Account, Host, Slice
from planner.fleet import SeenRow
from planner.steps import SliceChange
from planner.store import Database, nodes, slices
from planner.store.nodes import Joined
from planner.store.slices import NewSlice
from planner.store.tables import METADATA
from planner.store.wanted import commit, load_wanted

S1 = Slice("s1")


def _server() -> Path:
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = shutil.which("postgres") or (str(found[-1]) if found else "")
    if not program:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return Path(program).resolve().parent


def _owner() -> int | None:
    """PostgreSQL does not run as root; its package brings an account."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        pytest.skip("as root PostgreSQL needs an account of its own: postgres")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private server on a Unix socket."""
    programs, owner = _server(), _owner()
    # Sockets have short names only, and pytest's folders are long.
    home = Path(tempfile.mkdtemp(prefix="dsmt-postgresql-", dir="/tmp"))
    if owner is not None:
        os.chown(home, owner, -1)
    data = home / "data"
    try:
        make = [f"{programs}/initdb", "-D", str(data), "-U", "dsmt", "-A", "trust", "--no-sync"]
        subprocess.run(make, user=owner, check=True, capture_output=True, cwd=home)
        run = [f"{programs}/postgres", "-D", str(data), "-k", str(home), "-h", "", "-F"]
        server = subprocess.Popen(run, user=owner, cwd=home, stderr=subprocess.DEVNULL)
        try:
            yield _answering(f"postgresql+psycopg://dsmt@/postgres?host={home}")
        finally:
            server.terminate()
            server.wait(60)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _answering(url: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            Database(url).close_now()
        except Unavailable:
            assert time.monotonic() < deadline, "PostgreSQL did not come up"
            time.sleep(0.1)
        else:
            return url


def test_the_migrations_make_the_same_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_a_second_planner_is_refused_and_let_in_after_the_first(url: str) -> None:
    first = Database(url)
    with pytest.raises(Conflict, match="another planner has the database"):
        Database(url)
    first.close_now()
    Database(url).close_now()


def test_what_is_stored_is_read_back(url: str) -> None:
    database = Database(url)
    database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    change = SliceChange(slice=S1, generation=1, hosts={Host("h1"): 1}, retired={}, placements=())
    stored = database.write_now(commit, [change])
    assert database.write_now(load_wanted).slices == {S1: stored[0]}
    database.write_now(nodes.join, Joined(Host("h1"), "x" * 64, "b", 1.0))
    rows = [SeenRow(Host("h1"), Slice(""), {"a": 1})]
    database.write_now(nodes.write_behind, rows)
    database.write_now(nodes.write_behind, rows)
    assert database.write_now(nodes.load_seen) == rows
    with pytest.raises(Conflict):
        database.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    database.write_now(slices.remove, S1)
    database.close_now()
