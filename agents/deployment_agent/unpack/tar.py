"""The entries of a tar archive, in the order of the archive; one top directory, which is left away."""

from __future__ import annotations

import gzip
import lzma
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from agents.deployment_agent.unpack.entry import Entry, entry_name
from dsmt_core.errors import Invalid

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# What reading torn or altered archives raises, also in the middle of a file's content.
TORN: Final = (tarfile.TarError, EOFError, UnicodeError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def tar_entries(path: Path) -> Iterator[Entry]:
    """The entries of the archive at ``path``, whatever its compression.

    Raises:
        Invalid: it cannot be read, or there is not exactly one top directory.
    """
    try:
        with path.open("rb") as file, opened(file) as archive:
            yield from _entries(archive)
    except TORN as error:
        raise Invalid(f"the tar archive cannot be read: {error}") from error


def opened(file: IO[bytes]) -> tarfile.TarFile:
    """A tar archive, whatever its compression, to be read once from its beginning."""
    head = file.read(len(_ZSTD))
    file.seek(0)
    if head != _ZSTD:
        return tarfile.open(fileobj=file, mode="r|*")
    return tarfile.open(fileobj=cast("IO[bytes]", _Zstd(file)), mode="r|")


class _Zstd:
    """What a zstd stream holds; a torn one is torn like every other."""

    def __init__(self, file: IO[bytes]) -> None:
        import zstandard  # noqa: PLC0415 - four megabytes that other archives do not need

        self._reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        self._torn = zstandard.ZstdError

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._reader.read(size))
        except self._torn as error:
            raise tarfile.ReadError(str(error)) from error


def _entries(archive: tarfile.TarFile) -> Iterator[Entry]:
    top = ""
    for member in archive:
        name = entry_name(member.name)
        if not name.parts:
            continue
        top = top or name.parts[0]
        if name.parts[0] != top:
            raise Invalid(f"the archive has two top directories, {top!r} and {name.parts[0]!r}")
        below = PurePosixPath(*name.parts[1:])
        if below.parts:
            linked = entry_name(member.linkname) if member.islnk() else PurePosixPath()
            yield entry_of(archive, member, below, PurePosixPath(*linked.parts[1:]))
        elif not member.isdir():
            raise Invalid(f"{top!r} is no directory")
    if not top:
        raise Invalid("the archive is empty")


def entry_of(
    archive: tarfile.TarFile, member: tarfile.TarInfo, below: PurePosixPath, linked: PurePosixPath
) -> Entry:
    """A member of an archive.

    Args:
        archive: that it is in.
        member: what it is.
        below: its name.
        linked: of a hard link, the name of what it is a link to.
    """
    if member.isfile():
        content = archive.extractfile(member)
        return Entry(below, stat.S_IFREG | member.mode, member.size, content=content)
    if member.isdir():
        return Entry(below, stat.S_IFDIR | member.mode)
    if member.issym():
        return Entry(below, stat.S_IFLNK | 0o777, target=member.linkname)
    if member.islnk():
        return Entry(below, stat.S_IFREG, target=str(linked), hard=True)
    return Entry(below, stat.S_IFCHR)
