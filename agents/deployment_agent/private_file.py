"""A file that only the sliver's user may read, in the directory that the sliver may write in.

Rule: whatever lies there may be a trap. A link is neither followed nor written through, and only a plain
file of the sliver's own user is read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dsmt_core.errors import Full, Unavailable


def write(path: Path, content: bytes, what: str) -> None:
    """Write it whole, mode 0600, for the owner of the directory; blocks.

    Raises:
        Full: it cannot be written; `what` is named.
    """
    beside = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        beside.unlink(missing_ok=True)
        owner = path.parent.stat()
        with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
            file.write(content)
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise Full(f"{what} cannot be written: {error.strerror or error}") from error


def read(path: Path, limit: int, what: str) -> bytes:
    """What is in it, at most `limit` bytes; blocks.

    Raises:
        Unavailable: it cannot be read, or is not what `write` makes.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        owner = path.parent.stat().st_uid
        with os.fdopen(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != owner or found.st_nlink != 1:
                raise Unavailable(f"{what} is not the file that was written")
            return file.read(limit)
    except OSError as error:
        raise Unavailable(f"{what} cannot be read: {error.strerror or error}") from error
