"""A package on its way into the store: counted, digested and checked while it streams.

Rule of this file: what does not end well leaves nothing: no file, no reserved room.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator

from depot.package import Package
from depot.reading import inspect
from depot.store import Store, digest_of
from dsmt_core.errors import Full, Invalid


class Incoming:
    """A package on its way into the store: `write` … `finish`, or `drop`. Blocking.

    Args:
        store: where it goes.
        announced: its SHA-256 in hex, or empty.

    Raises:
        Invalid: ``announced`` is not a digest.
    """

    def __init__(self, store: Store, announced: str = "") -> None:
        self._store = store
        self._announced = digest_of(announced) if announced else ""
        self._path = store.unfinished()
        self._digest = hashlib.sha256()
        self._size = 0
        self._reserved = 0
        self._guard = threading.Lock()
        self._file = self._path.open("xb")

    def expect(self, size: int) -> None:
        """Reserve room for ``size`` bytes before they come.

        Raises:
            Full: there is none.
        """
        with self._guard:
            if size > self._reserved:
                self._store.reserve(size - self._reserved)
                self._reserved = size

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            Full: the bound of the store, or the disk.
        """
        self.expect(self._size + len(data))
        with self._guard, _full_disk():
            self._file.write(data)
            self._digest.update(data)
            self._size += len(data)

    def finish(self) -> Package:
        """Check what came, put it on the disk and into the store.

        Raises:
            Invalid: it is not what was announced, or not a package.
        """
        with self._guard, _full_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            digest = self._digest.hexdigest()
            if self._announced and digest != self._announced:
                raise Invalid(
                    f"what arrived has the digest {digest[:12]}… instead of {self._announced[:12]}…: "
                    "it was altered or cut off on the way",
                    hint="send it again; sha256sum FILE says what is right",
                )
            package = Package(digest, self._size, inspect(self._path))
            self._store.reserve(self._size - self._reserved)
            self._reserved = self._size
            self._store.adopt(self._path, package)
            self._reserved = 0
            return package

    def drop(self) -> None:
        """Forget what is not finished; after `finish` nothing happens."""
        with self._guard:
            # Closing writes what is buffered, which fails on a full disk; the file goes anyway.
            with contextlib.suppress(OSError):
                self._file.close()
            self._path.unlink(missing_ok=True)
            self._path.with_suffix(".json").unlink(missing_ok=True)
            self._store.reserve(-self._reserved)
            self._reserved = 0


@contextlib.contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Full("the disk of the depot is full", hint="make room on it, or remove packages") from error
