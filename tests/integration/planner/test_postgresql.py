"""The store on PostgreSQL, where a server is installed: the same tables, the same refusal of a second."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import planner.migrations
from dsmt_core.errors import Conflict, Unavailable
from dsmt_core.names import Slice
from planner.budget import DEFAULT
from planner.restraint import FREE
from planner.store import Database
from planner.store.tables import METADATA
from planner.store.wanted import load_wanted
from tests.contract.store import StoreContract


def _server() -> Path:
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = shutil.which("postgres") or (str(found[-1]) if found else "")
    if not program:
        assert not os.environ.get("CI"), "setup/machine.sh installs PostgreSQL where CI runs"
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


class TestStoreOnPostgresql(StoreContract):
    """The contract of a store."""

    @pytest.fixture
    def database(self, url: str) -> Iterator[Database]:
        """A database of its own on the server."""
        name = f"test_{secrets.token_hex(6)}"
        server = create_engine(url, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        made = Database(url.replace("/postgres?", f"/{name}?"))
        yield made
        made.close_now()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


def test_a_database_of_an_older_planner_is_brought_up_with_all_that_is_in_it(url: str) -> None:
    engine = create_engine(url.replace("/postgres?", "/older?"))
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE older")
    server.dispose()
    config = Config()
    config.set_main_option("script_location", str(Path(planner.migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO slices (slice, owner, managed, generation, agent, agent_parameters, plan,"
            " plan_parameters, status_period) VALUES ('s1', 'me', true, 7, 'a', '{}', '', '{}', 10)"
        )
    engine.dispose()
    database = Database(url.replace("/postgres?", "/older?"))
    found = database.write_now(load_wanted).slices[Slice("s1")]
    assert (found.generation, found.guard, found.budget, found.restraint) == (7, None, DEFAULT, FREE)
    database.close_now()
