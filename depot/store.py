"""The store: packages on disk, each under the SHA-256 of its bytes.

Rule of this file: a package is there whole, described and on the disk, or it is not there. Bytes stream
through; the room is reserved before they are written; what is not finished goes.

    blobs/ab/abcd…        the bytes
    blobs/ab/abcd….json   what they say (`depot.package`); written first, so that a blob always has one
    unfinished/           what is being received, and parts of broken uploads; else emptied at the start
    aside/                what was found damaged at the start, for a person to look at
    lock                  held by the one depot that uses the directory
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import Final

from depot.package import Package
from depot.parts import Parts
from depot.reading import inspect
from depot.sending import FileContent
from dsmt_core.errors import Conflict, Full, Invalid, NotFound

MAX_BYTES: Final = 64 << 30
# What stays free on the file system: a full disk would take the planner's database with it.
SPARE_BYTES: Final = 64 << 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


def digest_of(text: str) -> str:
    """Check a digest: 64 hex digits of a SHA-256, in lower case afterwards.

    Raises:
        Invalid: it is not one.
    """
    if not _DIGEST.match(text.lower()):
        raise Invalid(f"{text[:80]!r} is not a SHA-256 in hex", hint="64 digits; sha256sum FILE says it")
    return text.lower()


class Store:
    """A directory of packages. Blocking: call it from a thread. Safe to call from several at once.

    Args:
        directory: made when it is not there.
        max_bytes: of all packages together, those that are being received included.

    Raises:
        Conflict: another depot uses the directory.
    """

    def __init__(self, directory: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._blobs = directory / "blobs"
        self._unfinished = directory / "unfinished"
        self._aside = directory / "aside"
        self._max_bytes = max_bytes
        self._guard = threading.RLock()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (self._blobs, self._unfinished, self._aside):
            path.mkdir(exist_ok=True)
        self.parts = Parts(self._unfinished)
        self._lock = locked(directory / "lock")
        self._used = self._recover()

    @property
    def used(self) -> int:
        """Bytes held, and reserved for what is being received."""
        with self._guard:
            return self._used

    @property
    def max_bytes(self) -> int:
        """The bound."""
        return self._max_bytes

    def unfinished(self) -> Path:
        """A path for a file that is being received; nothing is there yet."""
        return self._unfinished / uuid.uuid4().hex

    def package(self, digest: str) -> Package:
        """What is known of a package.

        Raises:
            NotFound: it is not there.
        """
        path = self.path(digest)
        try:
            return Package.read(_described(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise _absent(digest) from None

    def path(self, digest: str) -> Path:
        """Where the bytes of a package lie.

        Raises:
            NotFound: it is not there.
        """
        path = self._place(digest_of(digest))
        if not path.is_file():
            raise _absent(digest)
        return path

    def open(self, digest: str) -> FileContent:
        """The bytes of a package.

        Raises:
            NotFound: it is not there.
        """
        try:
            return FileContent(self._place(digest_of(digest)))
        except FileNotFoundError:
            raise _absent(digest) from None

    def ages(self) -> dict[str, float]:
        """Of each package how many seconds ago it came, the last time that it was put."""
        with self._guard:
            self._used -= self.parts.sweep()
        now, found = time.time(), {}
        for path in self._blobs.glob("??/*"):
            if _DIGEST.match(path.name):
                with contextlib.suppress(FileNotFoundError):
                    found[path.name] = max(0.0, now - path.stat().st_mtime)
        return found

    def delete(self, digest: str) -> None:
        """Delete a package; who is reading it reads it to the end.

        Raises:
            NotFound: it is not there.
        """
        with self._guard:
            path = self.path(digest)
            size = path.stat().st_size
            path.unlink()
            _described(path).unlink(missing_ok=True)
            _sync(path.parent)
            self._used -= size

    def close(self) -> None:
        """Let another depot use the directory."""
        os.close(self._lock)

    def reserve(self, size: int) -> None:
        """Take room for ``size`` bytes; a negative number gives room back.

        Raises:
            Full: there is none.
        """
        with self._guard:
            if size > 0:
                self._check_room(size)
            self._used += size

    def adopt(self, unfinished: Path, package: Package) -> None:
        """Make a received file a package of the store; its room is reserved already."""
        place = self._place(package.digest)
        with self._guard:
            if place.is_file():
                unfinished.unlink()
                os.utime(place)
                self._used -= package.size
                return
            place.parent.mkdir(exist_ok=True)
            description = unfinished.with_suffix(".json")
            _write(description, json.dumps(package.record()))
            description.replace(_described(place))
            unfinished.replace(place)
            _sync(place.parent)

    def _place(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest

    def _check_room(self, size: int) -> None:
        if size > self._max_bytes - self._used:
            self._used -= self.parts.sweep(older_than=0)
        left = self._max_bytes - self._used
        if size > left:
            raise Full(
                f"the depot is full: {max(0, left):,} of {self._max_bytes:,} bytes are free",
                hint="remove packages with: dsmtc depot remove FILE; "
                "or give it more room: dsmt-planner run --depot-max-bytes N",
            )
        if size > shutil.disk_usage(self._unfinished).free - SPARE_BYTES:
            raise Full("the disk of the depot is full", hint=f"make room where {self._blobs.parent} lies")

    def _recover(self) -> int:
        """Remove what was not finished, set aside what is damaged; returns the bytes held."""
        self.parts.sweep()
        parts = 0
        for path in self._unfinished.iterdir():
            if self.parts.is_part(path):
                parts += path.stat().st_size
            else:
                path.unlink()
        for path in self._blobs.glob("??/*.json"):
            if not path.with_suffix("").exists():
                path.unlink()
        return parts + sum(self._kept(path) for path in self._blobs.glob("??/*") if path.suffix != ".json")

    def _kept(self, path: Path) -> int:
        """The size of a blob that is as it should be; any other is described anew, or set aside."""
        size = path.stat().st_size
        try:
            package = Package.read(_described(path).read_text(encoding="utf-8"))
        except (Invalid, OSError, UnicodeError):
            package = None
        if package is not None and (package.digest, package.size) == (path.name, size):
            return size
        try:
            _check_digest(path)
            _write(_described(path), json.dumps(Package(path.name, size, inspect(path)).record()))
        except Invalid:
            _described(path).unlink(missing_ok=True)
            path.replace(self._aside / path.name)
            return 0
        return size


def locked(path: Path) -> int:
    """Have a directory alone, by a lock in the file ``path``, until the descriptor is closed.

    Raises:
        Conflict: another depot has it.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Conflict(
            f"another depot uses {path.parent}", hint="end it, or name another directory with --data"
        ) from None
    return lock


def _described(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_digest(path: Path) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
            raise Invalid("its bytes are not those of its digest")


def _absent(digest: str) -> NotFound:
    return NotFound(f"the depot has no package {digest[:16]}…", hint="put it again: dsmtc depot put FILE")
