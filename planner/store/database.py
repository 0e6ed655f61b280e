"""The database: opened once, used by one worker thread, one transaction for each piece of work.

Blocking stays in that thread, and looks that take long in another, so that nobody waits for them. SQLite
runs with WAL and ``synchronous=FULL``: what was answered has reached the disk. Foreign errors stop here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from dsmt_core.errors import Conflict, DsmtError, Full, Invalid, Unavailable
from planner.store import settings
from planner.store.lock import AdvisoryLock, FileLock, Lock
from planner.store.tables import REVISION

P = ParamSpec("P")
T = TypeVar("T")

FILENAME: Final = "planner.sqlite"
_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
_BUSY_MS: Final = 5000
# Of a connection that writes nothing.
_LOOKS: Final = "looks"


class Beside(Protocol):
    """What is written in the transaction of somebody else's work."""

    def __call__(self, connection: Connection) -> None:
        """Write it."""

    def undone(self) -> None:
        """The transaction did not come about."""


def sqlite_url(data: Path) -> str:
    """The URL of the database in the data directory ``data``."""
    return f"sqlite:///{data.absolute() / FILENAME}"


class Database:
    """An open database that nobody else may write.

    Args:
        url: SQLAlchemy's; ``sqlite:///…`` or ``postgresql+psycopg://…``.

    Raises:
        Conflict: another planner has it.
        Invalid: the URL cannot be read, or its driver is not installed.
        Unavailable: it cannot be opened, or not be brought to the present structure.
    """

    def __init__(self, url: str) -> None:
        self._worker = ThreadPoolExecutor(1, "database")
        self._looker = ThreadPoolExecutor(1, "past")
        self._beside: Callable[[], Beside | None] = lambda: None
        self._engine = _engine(url)
        try:
            self._lock = _lock(self._engine)
        except SQLAlchemyError as error:
            raise _foreign(error) from error
        try:
            self._migrate()
            self._epoch = self._transact(settings.next_epoch)
        except BaseException:
            self._lock.release()
            raise

    @classmethod
    async def open(cls, url: str) -> Database:
        """The same without blocking the event loop."""
        return await asyncio.to_thread(cls, url)

    @property
    def epoch(self) -> int:
        """The fencing epoch of this planner."""
        return self._epoch

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        """Have ``work`` done in the database's thread, in one transaction."""
        return await self._in_thread(lambda: self._transact(work, *args, **more))

    async def look(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        """`read` for what takes long: beside the others, over what was written when it began."""
        return await self._in_thread(lambda: self._looked(work, *args, **more), self._looker)

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        """The same for work that changes something: refused when another planner took over."""
        beside = self._beside()

        def both(connection: Connection) -> T:
            result = work(connection, *args, **more)
            if beside is not None:
                beside(connection)
            return result

        try:
            return await self._in_thread(lambda: self.write_now(both))
        except BaseException:
            if beside is not None:
                beside.undone()
            raise

    def accompany(self, beside: Callable[[], Beside | None]) -> None:
        """Have what ``beside`` returns when a `write` begins written in its transaction, at its end."""
        self._beside = beside

    def write_now(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        """`write`, blocking; for commands that have no event loop."""

        def fenced(connection: Connection) -> T:
            settings.check_epoch(connection, self._epoch)
            return work(connection, *args, **more)

        return self._transact(fenced)

    async def close(self) -> None:
        """Finish what was begun, then let the next planner in; may be called twice."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """`close`, blocking."""
        for thread in (self._worker, self._looker):
            thread.shutdown(wait=True)
        self._engine.dispose()
        self._lock.release()

    async def _in_thread(self, call: Callable[[], T], thread: ThreadPoolExecutor | None = None) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread or self._worker, call)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            raise Unavailable("the planner is ending", hint="try again in a moment") from None

    def _transact(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection, *args, **more)
        except SQLAlchemyError as error:
            raise _foreign(error) from error

    def _looked(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
        try:
            with self._engine.connect().execution_options(**{_LOOKS: True}) as connection:
                return work(connection, *args, **more)
        except SQLAlchemyError as error:
            raise _foreign(error) from error

    def _migrate(self) -> None:
        if self._transact(settings.revision) == REVISION:
            return
        # Loaded by the start that has something to migrate: it takes a tenth of what all the rest does.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))

        def upgrade(connection: Connection) -> None:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

        self._transact(upgrade)


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(make_url(url))
    except (ArgumentError, NoSuchModuleError) as error:
        raise Invalid(
            f"the database URL cannot be read: {error}",
            hint="such as sqlite:////var/lib/dsmt/planner.sqlite or postgresql+psycopg://user@host/dsmt",
        ) from error
    except ModuleNotFoundError as error:
        raise Invalid(
            f"the driver of this database is not installed: {error.name}",
            hint="install it into the environment of DSMT, for PostgreSQL: pip install 'psycopg[binary]'",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _lock(engine: Engine) -> Lock:
    if engine.dialect.name != "sqlite":
        return AdvisoryLock(engine)
    path = engine.url.database
    if not path:
        raise Invalid("the planner needs a database that survives it", hint="name a file after sqlite:///")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(Path(f"{path}.lock"))
    except OSError as error:
        raise Unavailable(
            f"the database {path} cannot be opened: {error.strerror}", hint="check --data and its mode"
        ) from error


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver begins no transactions by itself: `_begin_sqlite` does, also around DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # At once a writer: a transaction that reads first and writes later can fail with "database is locked".
    looks = connection.get_execution_options().get(_LOOKS)
    connection.exec_driver_sql("BEGIN" if looks else "BEGIN IMMEDIATE")


def _foreign(error: SQLAlchemyError) -> DsmtError:
    cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    if isinstance(error, IntegrityError):
        return Conflict(f"the database refused a change: {cause}", hint="look again at what is there now")
    if "disk is full" in cause:
        return Full("the disk of the planner's database is full", hint="make room, then try again")
    if "locked" in cause:
        return Unavailable(
            "the planner's database is locked by another program",
            hint="end whatever has the file open, such as a sqlite3 shell",
        )
    return Unavailable(f"the planner's database does not work: {cause}", hint="see the planner's log")
