"""The entries of an RPM's payload, read without rpm: a cpio archive (newc), compressed.

The header is read by `rpmfile`; the payload is streamed, so that its size is no matter of memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

from agents.deployment_agent.unpack.entry import Entry, entry_name
from dsmt_core.errors import Invalid

_HEADER_BYTES: Final = 110
_MAGICS: Final = (b"070701", b"070702")
_END: Final = "TRAILER!!!"
_NAME_BYTES: Final = 4096
_TARGET_BYTES: Final = 4096
_CHUNK: Final = 1 << 16


def rpm_entries(path: Path) -> Iterator[Entry]:
    """The entries of the RPM at ``path``; their names are relative to the root.

    Raises:
        Invalid: it cannot be read.
    """
    import rpmfile  # noqa: PLC0415 - only needed where rpm is missing

    try:
        with path.open("rb") as file:
            try:
                package = rpmfile.open(fileobj=file)
                compression = package.headers.get("archive_compression") or b"gzip"
            except Exception as error:
                # It raises whatever a broken header leads to.
                raise Invalid("the RPM's header cannot be read") from error
            file.seek(package.data_offset)
            yield from _entries(_decompressed(file, compression))
    except Invalid:
        raise
    except (OSError, EOFError, ValueError, lzma.LZMAError, LookupError) as error:
        raise Invalid(f"the RPM cannot be read: {error}") from error


def _decompressed(file: IO[bytes], compression: Any) -> IO[bytes]:
    name = compression.decode() if isinstance(compression, bytes) else str(compression)
    if name == "zstd":
        import zstandard  # noqa: PLC0415

        return cast("IO[bytes]", zstandard.ZstdDecompressor().stream_reader(file))
    if name in {"xz", "lzma"}:
        return lzma.open(file)
    if name == "bzip2":
        return bz2.open(file)
    if name == "gzip":
        return cast("IO[bytes]", gzip.open(file))
    raise Invalid(f"the RPM's payload is compressed by {name[:20]!r}, which is unknown here")


def _entries(payload: IO[bytes]) -> Iterator[Entry]:
    while True:
        fields = _fields(_exactly(payload, _HEADER_BYTES))
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = _exactly(payload, min(name_size, _NAME_BYTES)).rstrip(b"\0").decode()
        _skip(payload, _HEADER_BYTES + name_size)
        if name == _END:
            return
        content = _Part(payload, size)
        entry = _entry(name, mode, size, content)
        if entry.name.parts:
            yield entry
        content.finish()
        _skip(payload, size)


def _entry(name: str, mode: int, size: int, content: _Part) -> Entry:
    below = entry_name(name.lstrip("/"))
    if stat.S_ISLNK(mode):
        return Entry(below, mode, target=content.read(_TARGET_BYTES).decode())
    return Entry(below, mode, size, content=cast("IO[bytes]", content))


class _Part(io.RawIOBase):
    """The content of one entry; what is not read is skipped by `finish`."""

    def __init__(self, payload: IO[bytes], size: int) -> None:
        super().__init__()
        self._payload = payload
        self._left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        chunk = _exactly(self._payload, wanted)
        self._left -= wanted
        return chunk

    def finish(self) -> None:
        while self._left:
            self.read(_CHUNK)


def _fields(header: bytes) -> list[int]:
    if header[:6] not in _MAGICS:
        raise Invalid("the RPM's payload is not a cpio archive of the new kind")
    return [int(header[start : start + 8], 16) for start in range(6, _HEADER_BYTES, 8)]


def _skip(payload: IO[bytes], length: int) -> None:
    """Everything begins at a multiple of four."""
    _exactly(payload, -length % 4)


def _exactly(payload: IO[bytes], size: int) -> bytes:
    pieces = []
    while size:
        chunk = payload.read(size)
        if not chunk:
            raise Invalid("the RPM ends too early")
        pieces.append(chunk)
        size -= len(chunk)
    return b"".join(pieces)
