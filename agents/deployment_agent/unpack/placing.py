"""Writing entries below a directory and nowhere else.

Symbolic links come last, when every file is written, so none is ever followed on the way; afterwards
each is resolved, and one that leads out of the place is removed and refused.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agents.deployment_agent.unpack.entry import Entry
from dsmt_core.errors import Invalid

_CHUNK: Final = 1 << 20


class Placer:
    """Puts entries below ``root``.

    Args:
        root: an existing directory, all of it resolved.
        allowed: the directories below ``root`` that entries may be in; all, when empty.
    """

    def __init__(self, root: Path, allowed: Sequence[str] = ()) -> None:
        self.root = root.resolve()
        self._allowed = [self.root / name for name in allowed]
        self._links: list[Entry] = []
        self._directories: list[tuple[Path, int]] = []
        self.placed: list[Path] = []

    def place(self, entries: Iterator[Entry]) -> None:
        """Write all entries.

        Raises:
            Invalid: one would be outside, or be replaced by way of a link.
            OSError: the disk is full.
        """
        for entry in entries:
            self._put(entry)
        for entry in self._links:
            self._link(entry)
        for entry in self._links:
            self._check_link(self.root / entry.name, entry.target)
        made = set(self.placed)
        for directory, mode in reversed(self._directories):
            if directory in made:
                directory.chmod(mode)
        self._links, self._directories = [], []

    def _put(self, entry: Entry) -> None:
        if stat.S_ISDIR(entry.mode):
            self._directories.append((self._made(self._where(entry)), entry.permissions))
        elif stat.S_ISLNK(entry.mode):
            self._links.append(entry)
        elif entry.hard:
            self._link_hard(entry)
        else:
            self._write(entry)

    def _where(self, entry: Entry) -> Path:
        path = self.root / entry.name
        if self._allowed and not stat.S_ISDIR(entry.mode):
            self._check_allowed(path)
        return path

    def _check_allowed(self, path: Path) -> None:
        if not any(path.is_relative_to(each) for each in self._allowed):
            names = ", ".join(f"/{each.relative_to(self.root)}" for each in self._allowed)
            raise Invalid(f"/{path.relative_to(self.root)} is not in a directory of the sliver: {names}")

    def _made(self, directory: Path) -> Path:
        """Make it with its parents; each is a real directory inside."""
        way = self.root
        for part in directory.relative_to(self.root).parts:
            way /= part
            try:
                way.mkdir(0o755)
                self.placed.append(way)
            except FileExistsError:
                if way.is_symlink() or not way.is_dir():
                    raise Invalid(f"{way} is in the way: a link or a file") from None
        return directory

    def _clear(self, entry: Entry) -> Path:
        path = self._where(entry)
        self._made(path.parent)
        if path.is_dir() and not path.is_symlink():
            raise Invalid(f"{path} is a directory, and the archive brings something else")
        path.unlink(missing_ok=True)
        self.placed.append(path)
        return path

    def _write(self, entry: Entry) -> None:
        path = self._clear(entry)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            if entry.content is not None:
                shutil.copyfileobj(entry.content, file, _CHUNK)
            if file.tell() != entry.size:
                raise Invalid(f"{entry.name} ends too early")
            os.fchmod(file.fileno(), entry.permissions)

    def _link_hard(self, entry: Entry) -> None:
        source = self.root / entry.target
        if source.is_symlink() or not source.is_file():
            raise Invalid(
                f"{entry.name} is a link to {entry.target}, which the archive does not bring before"
            )
        path = self._clear(entry)
        # A copy: a hard link would lend one file's permissions to the other.
        shutil.copy2(source, path, follow_symlinks=False)

    def _link(self, entry: Entry) -> None:
        self._clear(entry).symlink_to(entry.target)

    def _check_link(self, path: Path, target: str) -> None:
        end = Path(os.path.realpath(path))
        inside = end.is_relative_to(self.root) and not (self._absolute(target) and not self._allowed)
        if not inside:
            path.unlink()
            raise Invalid(f"the link {path.relative_to(self.root)} leads out, to {target[:60]!r}")

    @staticmethod
    def _absolute(target: str) -> bool:
        return target.startswith("/")
