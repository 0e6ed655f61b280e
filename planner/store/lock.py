"""One planner for one database: the second is refused at once, with a sentence that says which runs.

SQLite: an exclusive `flock` on a file beside the database; the kernel gives it back however its owner
ends. PostgreSQL: an advisory lock on a session of its own. The fencing epoch (`settings`) covers what
a lock cannot: an owner that lost its lock without noticing.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, text

from dsmt_core.errors import Conflict

# Any number will do, as long as it is always the same: "dsmt" in ASCII.
_ADVISORY_KEY: Final = 0x64736D74


class Lock(Protocol):
    """Held from when it was made until `release`."""

    def release(self) -> None:
        """Let the next planner in; may be called twice."""
        ...


class FileLock:
    """An exclusive lock on a file, which also names its owner.

    Raises:
        Conflict: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise Conflict(
                f"another planner (process {owner}) has the database {path.with_suffix('')}",
                hint="end it first, or give this planner a --data directory of its own",
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Close the file, and with it the lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class AdvisoryLock:
    """PostgreSQL's session lock.

    Raises:
        Conflict: another session holds it.
    """

    def __init__(self, engine: Engine) -> None:
        self._connection: Connection = engine.connect()
        taken = self._connection.execute(
            text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}
        ).scalar_one()
        # The lock belongs to the session; no transaction may stay open for as long as it is held.
        self._connection.commit()
        if not taken:
            self.release()
            raise Conflict(
                f"another planner has the database {engine.url.render_as_string(hide_password=True)}",
                hint="end it first, or give this planner a database of its own",
            )

    def release(self) -> None:
        """End the session, and with it the lock."""
        self._connection.invalidate()
        self._connection.close()
