"""What a mirror holds: whole packages under their digests, and torn ones that will be gone on with.

Rule of this file: before a package is served for the first time since the start, its digest is looked at;
the room is bounded, and whatever was used least recently goes. Blocking; safe from several threads.

    blobs/ab/abcd…     whole
    torn/abcd…         what has come of others
    lock               held by the one mirror that uses the directory
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Final

from depot.growing import Growing
from depot.sending import FileContent
from depot.store import SPARE_BYTES, locked
from dsmt_core.errors import Full

_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
TORN_S: Final = 86_400.0


class Shelf:
    """A directory of packages.

    Args:
        directory: made when it is not there.
        max_bytes: of all files together, those that are being fetched included.

    Raises:
        Conflict: another mirror or depot uses the directory.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._blobs = directory / "blobs"
        self._torn = directory / "torn"
        self.max_bytes = max_bytes
        self._guard = threading.RLock()
        # What is being fetched, with the bytes that it will have: counted so, and not by its file.
        self._coming: dict[str, int] = {}
        self._trusted: set[str] = set()
        for path in (self._blobs, self._torn):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = locked(directory / "lock")
        for path in self._torn.iterdir():
            if not _DIGEST.match(path.name) or abs(time.time() - path.lstat().st_mtime) > TORN_S:
                path.unlink()

    @property
    def used(self) -> int:
        """Bytes of all files, and reserved for what is being fetched."""
        with self._guard:
            return sum(self._coming.values()) + sum(stat.st_size for _, stat in self._files())

    def open(self, digest: str) -> FileContent | None:
        """A package that is here and right; None when it is not. Its bytes may have rotted on the disk."""
        path = self._place(digest)
        with self._guard:
            try:
                content = FileContent(path)
            except FileNotFoundError:
                return None
            os.utime(path)
            if digest in self._trusted:
                return content
        if _digest_of(path) != digest:
            content.close()
            path.unlink(missing_ok=True)
            return None
        self._trusted.add(digest)
        return content

    def torn(self, digest: str) -> Growing:
        """The file for a package that is being fetched, with what came earlier."""
        return Growing(self._torn / digest)

    def reserve(self, digest: str, size: int) -> None:
        """Make room for a package that is being fetched, until `release`.

        Raises:
            Full: it is larger than all the room, or than what is not being fetched leaves.
        """
        with self._guard:
            self._coming[digest] = size
            try:
                self._make_room(size)
            except Full:
                del self._coming[digest]
                raise

    def release(self, digest: str) -> None:
        """It is fetched, or not being fetched any more."""
        with self._guard:
            self._coming.pop(digest, None)

    def keep(self, growing: Growing, digest: str) -> None:
        """Take in what was fetched; the caller has found its digest right."""
        place = self._place(digest)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        with self._guard:
            growing.path.replace(place)
            self._trusted.add(digest)

    def close(self) -> None:
        """Let another mirror use the directory."""
        os.close(self._lock)

    def _place(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """All files but those that are being fetched."""
        paths = [path for path in self._torn.iterdir() if path.name not in self._coming]
        return [(path, path.lstat()) for path in (*paths, *self._blobs.glob("??/*"))]

    def _make_room(self, size: int) -> None:
        files = self._files()
        total = sum(self._coming.values()) + sum(stat.st_size for _, stat in files)
        for path, stat in sorted(files, key=lambda each: each[1].st_mtime):
            if total <= self.max_bytes:
                break
            path.unlink(missing_ok=True)
            self._trusted.discard(path.name)
            total -= stat.st_size
        if total > self.max_bytes:
            raise Full(
                f"the mirror has no room for {size:,} bytes: it may hold {self.max_bytes:,}",
                hint="give it more with --max-bytes; until then nodes fetch it from the depot",
            )
        if size > shutil.disk_usage(self._torn).free - SPARE_BYTES:
            raise Full("the disk of the mirror is full", hint=f"make room where {self._torn.parent} lies")


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
