"""A file that is being received: bytes are appended and digested, also earlier attempts'. Blocking."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20


class Growing:
    """What has come so far.

    Args:
        path: made when it is not there; what it holds is read and digested.

    Raises:
        OSError: it cannot be opened, or is a link.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        try:
            while chunk := self._file.read(_CHUNK):
                self._digest.update(chunk)
                self.size += len(chunk)
        except BaseException:
            self._file.close()
            raise

    @property
    def digest(self) -> str:
        """SHA-256 of what has come, hex."""
        return self._digest.hexdigest()

    def append(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: the disk is full; what is digested is still what is there.
        """
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self.size)
                self._file.seek(self.size)
            raise
        self._digest.update(data)
        self.size += len(data)

    def empty(self) -> None:
        """Forget what came."""
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size = hashlib.sha256(), 0

    def read(self, begin: int, most: int) -> bytes:
        """At most ``most`` bytes of what has come, from ``begin`` on."""
        return os.pread(self._file.fileno(), most, begin)

    def sync(self) -> None:
        """Put it on the disk; another name is the caller's to give."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it; the file stays. May be called twice."""
        self._file.close()
