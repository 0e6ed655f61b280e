"""A tarball's members, written below one directory in the order of the archive.

Rule of this file: it writes only what `depot.tarball` has let through, below a directory that it made
itself, and opens every file as a new one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO

from depot.tarball import Contents, Member, survey

_CHUNK = 1 << 20


class Unpacking:
    """Writes members below ``directory``, which must be new.

    Modes and times of directories are set at the end: before, a time would change with the next file
    and a mode might forbid to write it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directories: dict[Path, Member] = {}
        directory.mkdir()

    def keep(self, member: Member, head: bytes, rest: IO[bytes] | None) -> None:
        """Write one member."""
        path = self._directory / member.path if member.path else self._directory
        if member.kind == "directory":
            path.mkdir(parents=True, exist_ok=True)
            self._directories[path] = member
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if member.kind == "hardlink":
            path.hardlink_to(self._directory / member.target)
        elif member.kind == "symlink":
            path.symlink_to(member.target)
            os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)
        elif rest is not None:
            _write(path, member, head, rest)

    def finish(self, newest: int) -> None:
        """Set what was left open; directories that the tarball does not name get ``newest`` and 755."""
        for root, _, _ in os.walk(self._directory, topdown=False):
            member = self._directories.get(Path(root))
            mode, mtime = (member.mode | 0o700, member.mtime) if member else (0o755, newest)
            Path(root).chmod(mode)
            os.utime(root, (mtime, mtime))


def unpack(tarball: Path, directory: Path) -> Contents:
    """Check a tarball and write what is in its top directory into ``directory``.

    Raises:
        Invalid: the tarball is refused; what was written before is left for the caller to remove.
    """
    unpacking = Unpacking(directory)
    with tarball.open("rb") as packed:
        contents = survey(packed, tarball.stat().st_size, keep=unpacking.keep)
    unpacking.finish(contents.newest)
    return contents


def _write(path: Path, member: Member, head: bytes, rest: IO[bytes]) -> None:
    with path.open("xb") as file:
        file.write(head)
        shutil.copyfileobj(rest, file, _CHUNK)
        os.fchmod(file.fileno(), member.mode | 0o400)
    os.utime(path, (member.mtime, member.mtime))
