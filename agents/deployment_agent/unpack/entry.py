"""One thing in an archive, checked before anything is written."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Final

from dsmt_core.errors import Invalid

ENTRIES: Final = 200_000
BYTES: Final = 8 << 30
_NAME_BYTES: Final = 4096
# Not set-uid, not set-gid, not sticky: who runs a file gains nothing by it.
_MODE: Final = 0o777


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a directory or a symbolic link.

    Attributes:
        name: its path below the place of unpacking; never absolute, no ``..``.
        mode: type and permissions, as in `stat`.
        size: bytes of its content.
        target: of a symbolic link as it stands, of a hard link as a name in the archive.
        hard: it is a hard link.
    """

    name: PurePosixPath
    mode: int
    size: int = 0
    target: str = ""
    hard: bool = False
    content: IO[bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def permissions(self) -> int:
        """Without the bits that lend somebody's rights; a directory can always be entered by its owner."""
        kept = self.mode & _MODE
        return kept | 0o700 if stat.S_ISDIR(self.mode) else kept


def entry_name(text: str) -> PurePosixPath:
    """The name of an entry, which stays below the place of unpacking.

    Raises:
        Invalid: it would not.
    """
    if "\0" in text or not text or len(text.encode(errors="surrogateescape")) > _NAME_BYTES:
        raise Invalid(f"the archive has an entry with the name {text[:60]!r}")
    name = PurePosixPath(text)
    if name.is_absolute() or ".." in name.parts:
        raise Invalid(f"the entry {text[:60]!r} would leave the place of unpacking")
    return name


def bounded(entries: Iterator[Entry]) -> Iterator[Entry]:
    """``entries``, as long as they are not too many, not too big, and of a kind that may be.

    Raises:
        Invalid: they are.
    """
    count = size = 0
    for entry in entries:
        count, size = count + 1, size + entry.size
        if count > ENTRIES or size > BYTES:
            raise Invalid(f"the archive holds more than {ENTRIES} entries or {BYTES >> 30} GiB")
        if not any(kind(entry.mode) for kind in (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)):
            raise Invalid(f"the entry {str(entry.name)[:60]!r} is a device, a pipe or a socket")
        yield entry
