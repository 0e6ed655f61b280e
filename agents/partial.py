"""What has come of a package so far: a file, and the digest of its bytes.

Rule of this file: what is on disk is believed only as far as its digest says in the end; whoever goes on
with bytes of an earlier attempt reads them again first.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20


class Partial:
    """A file that is being received; blocking. What it holds already is kept, unless it is too long.

    Args:
        path: made if it is not there.
        size: bytes that it is to have in the end.

    Raises:
        OSError: it cannot be opened or read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.received = 0
        self._size = size
        self._digest = hashlib.sha256()
        # No link is followed: the directory is the node's, but a file in it must be one.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        try:
            self._read_again()
        except BaseException:
            self._file.close()
            raise

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self._size - self.received

    def write(self, data: bytes) -> None:
        """Append; the caller sends no more than is missing."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        self._digest.update(data)
        self.received += len(data)

    def begin_anew(self) -> None:
        """Forget what came."""
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.received = hashlib.sha256(), 0

    def is_right(self, digest: str) -> bool:
        """Whether all has come and has this digest."""
        return not self.missing and self._digest.hexdigest() == digest

    def keep_as(self, path: Path) -> None:
        """Put the bytes on the disk, readable to all, and give them the name ``path``."""
        os.fchmod(self._file.fileno(), 0o444)
        os.fsync(self._file.fileno())
        self.path.replace(path)

    def close(self) -> None:
        """Close the file; it stays for a later attempt. May be called twice."""
        self._file.close()

    def _read_again(self) -> None:
        if os.fstat(self._file.fileno()).st_size > self._size:
            self.begin_anew()
        while chunk := self._file.read(_CHUNK):
            self._digest.update(chunk)
            self.received += len(chunk)
