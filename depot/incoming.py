"""A package on its way into the store: counted, digested and checked while it streams.

Rule of this file: what does not end well leaves nothing: no file, no reserved room. Only an upload whose
connection broke off, and whose digest is known, leaves what came of it, to be gone on with.
"""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator

from depot.growing import Growing
from depot.package import Package
from depot.reading import inspect
from depot.store import Store, digest_of
from dsmt_core.errors import Conflict, DsmtError, Full, Invalid


class Incoming:
    """A package on its way into the store: `write` … `finish`, or `drop`. Blocking.

    Args:
        store: where it goes.
        announced: its SHA-256 in hex, or empty.
        scope: whose upload it is: nobody else goes on with it. Empty: it cannot be gone on with.
        begin: so many bytes came earlier.

    Raises:
        Invalid: ``announced`` is not a digest.
        Conflict: another number of bytes came earlier.
    """

    def __init__(self, store: Store, announced: str = "", *, scope: str = "", begin: int = 0) -> None:
        self._store = store
        self._announced = digest_of(announced) if announced else ""
        part = store.parts.take(self._announced, scope) if announced and scope else None
        self._is_part = part is not None
        self._growing = Growing(part or store.unfinished())
        self._reserved = self._growing.size
        self._finished = self._spoilt = self._dropped = False
        self._guard = threading.Lock()
        if begin not in {0, self._growing.size}:
            had = self._growing.size
            self.drop()
            raise Conflict(f"{had} bytes came earlier, and not {begin}", hint="go on from there, or anew")
        if not begin:
            self._empty()

    def expect(self, size: int) -> None:
        """Reserve room for ``size`` bytes before they come.

        Raises:
            Full: there is none.
        """
        with self._guard, self._spoiling():
            if size > self._reserved:
                self._store.reserve(size - self._reserved)
                self._reserved = size

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            Full: the bound of the store, or the disk.
        """
        self.expect(self._growing.size + len(data))
        with self._guard, self._spoiling(), _full_disk():
            self._growing.append(data)

    def finish(self) -> Package:
        """Check what came, put it on the disk and into the store.

        Raises:
            Invalid: it is not what was announced, or not a package.
        """
        with self._guard, self._spoiling(), _full_disk():
            self._growing.sync()
            self._growing.close()
            digest, size = self._growing.digest, self._growing.size
            if self._announced and digest != self._announced:
                raise Invalid(
                    f"what arrived has the digest {digest[:12]}… instead of {self._announced[:12]}…: "
                    "it was altered or cut off on the way",
                    hint="send it again; sha256sum FILE says what is right",
                )
            package = Package(digest, size, inspect(self._growing.path))
            self._store.reserve(size - self._reserved)
            self._reserved = size
            self._store.adopt(self._growing.path, package)
            self._reserved, self._finished = 0, True
            return package

    def drop(self) -> None:
        """Forget what is not finished, unless somebody may go on with it. May be called twice."""
        with self._guard:
            path, self._spoilt = self._growing.path, self._spoilt or self._finished or self._dropped
            self._growing.close()
            left = self._growing.size if self._is_part and not self._spoilt else 0
            if not left and not self._dropped:
                path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
            if not self._dropped:
                self._store.reserve(left - self._reserved)
                self._store.parts.give_back(path)
            self._dropped, self._reserved = True, 0

    def _empty(self) -> None:
        self._store.reserve(-self._reserved)
        self._reserved = 0
        self._growing.empty()

    @contextlib.contextmanager
    def _spoiling(self) -> Iterator[None]:
        """What was refused is not worth going on with."""
        try:
            yield
        except DsmtError:
            self._spoilt = True
            raise


@contextlib.contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Full("the disk of the depot is full", hint="make room on it, or remove packages") from error
