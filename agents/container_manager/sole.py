"""One manager for one directory: two would undo one another's work."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dsmt_core.errors import Conflict

_NAME_ONE = "end it, or give this one a --data of its own"


@contextlib.contextmanager
def only_one(data: Path, hint: str = _NAME_ONE) -> Iterator[IO[str]]:
    """Have the directory for oneself until the block ends; it is made when it is missing.

    Raises:
        Conflict: another one has it; ``hint`` says what to do.
    """
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"another dsmt-node runs on {data}", hint=hint) from None
        yield lock
