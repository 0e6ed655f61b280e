"""A compressed stream, read once from its beginning, within bounds.

Rule of this file: nothing that a stranger wrote decides how much memory or time is spent. One read is
bounded (`READ_BYTES`), the whole is bounded (`unpacked_limit`), and so is a decompressor's window.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Final, Protocol

import zstandard

from dsmt_core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

# tarfile reads a member's extended header in one read: this bounds it. Real ones have some hundred bytes.
READ_BYTES: Final = 1 << 20
UNPACKED_BYTES: Final = 4 << 30
# Text with long repeats reaches 50:1; gzip's best case, a bomb, is 1,030:1.
RATIO: Final = 200
SMALL_BYTES: Final = 64 << 20
# The window of `xz -9e` is 64 MiB and of `zstd --long` 128 MiB.
WINDOW_BYTES: Final = 128 << 20
_CHUNK: Final = 1 << 16

ERRORS: Final = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zstandard.ZstdError)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Xz(io.RawIOBase):
    """One xz stream with a limit for the decompressor's memory, which `lzma.LZMAFile` does not offer."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * WINDOW_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        while not self._decompressor.eof:
            packed = self._packed.read(_CHUNK) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not packed:
                raise EOFError
            data = self._decompressor.decompress(packed, len(view))
            if data:
                view[: len(data)] = data
                return len(data)
        if (self._decompressor.unused_data + self._packed.read(_CHUNK)).strip(b"\0"):
            raise lzma.LZMAError("more data after the end")
        return 0


def _gzip(packed: BinaryIO) -> _Readable:
    return gzip.GzipFile(fileobj=packed, mode="rb")


def _xz(packed: BinaryIO) -> _Readable:
    return io.BufferedReader(_Xz(packed), _CHUNK)


def _zstd(packed: BinaryIO) -> _Readable:
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
    return decompressor.stream_reader(packed, read_across_frames=True, closefd=False)


_FORMATS: Final[tuple[tuple[bytes, Callable[[BinaryIO], _Readable]], ...]] = (
    (b"\x1f\x8b", _gzip),
    (b"\xfd7zXZ\x00", _xz),
    (b"\x28\xb5\x2f\xfd", _zstd),
)


def unpacked_limit(packed_bytes: int) -> int:
    """What a file of ``packed_bytes`` may unpack to: 64 MiB, or 200 times its size up to 4 GiB."""
    return min(UNPACKED_BYTES, max(SMALL_BYTES, packed_bytes * RATIO))


class Unpacked:
    """The unpacked bytes of a gzip, xz or zstd stream, or of a file that is none of them as it is.

    It reads forward only (and one byte back, which tarfile asks for between two members).

    Args:
        packed: at its beginning.
        limit: in bytes; reading beyond raises.
    """

    def __init__(self, packed: BinaryIO, limit: int) -> None:
        head = packed.read(8)
        packed.seek(0)
        opened = next((opener for magic, opener in _FORMATS if head.startswith(magic)), None)
        self._stream: _Readable = opened(packed) if opened else packed
        self._limit = limit
        self._position = 0
        self._last = b""
        self._back = False
        # Whether the latest read ended in an empty block: a tarball's end, and not a cut.
        self.at_empty_block = False

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position - self._back

    def read(self, size: int) -> bytes:
        """``size`` bytes, fewer only at the end.

        Raises:
            Invalid: more than `READ_BYTES` at once, or more than the limit in all.
        """
        if not 0 <= size <= READ_BYTES:
            raise Invalid("it has a header that is too large")
        again = self._last if self._back and size else b""
        self._back = self._back and not again
        data = again + self._take(size - len(again))
        self.at_empty_block = len(data) == 512 and not any(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on to ``offset``; backwards only by one byte.

        Raises:
            Invalid: it lies further back.
        """
        if whence or offset < self._position - 1:
            raise Invalid("its members point backwards")
        self._back = offset == self._position - 1
        while (ahead := offset - self._position) > 0:
            if not self._take(min(ahead, READ_BYTES)):
                break
        return self.tell()

    def drain(self) -> None:
        """Read what follows, so that a stream's own check sums are looked at."""
        while self._take(READ_BYTES):
            pass

    def _take(self, size: int) -> bytes:
        parts = []
        while size > 0 and (part := self._stream.read(size)):
            parts.append(part)
            size -= len(part)
            self._position += len(part)
            self._last = part[-1:]
        if self._position > self._limit:
            raise Invalid(
                f"it unpacks to more than {self._limit:,} bytes",
                hint="such a file is refused because it could fill a disk; split the application",
            )
        return b"".join(parts)
