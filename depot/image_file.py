"""The archive of an image: its layers are read to their ends, and are what its configuration says.

So what is in the depot can fill no node, and holds under the id of an image nothing but that image.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, Final

from depot.tarball import UNREADABLE, infos
from depot.unpacking import Unpacked, unpacked_limit
from dsmt_core.errors import Invalid
from dsmt_core.image_archives import ImageArchive, Piece, read_archive

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACKED_BYTES: Final = 8 << 30
"""Of all layers of an image."""
_MARKS: Final = frozenset({"manifest.json", "oci-layout"})
_TAR_MAGIC: Final = b"ustar"
_TAR_MAGIC_AT: Final = 257


def read_image(file: BinaryIO, size: int) -> ImageArchive | None:
    """Read the archive of an image to its end; None when this is none.

    Args:
        file: at its beginning, seekable.
        size: of it, in bytes.

    Raises:
        Invalid: it is one that cannot be used.
    """
    head = file.read(_TAR_MAGIC_AT + len(_TAR_MAGIC))
    file.seek(0)
    if not head.endswith(_TAR_MAGIC):
        return None
    archive = read_archive(file, size)
    if archive is not None:
        left = UNPACKED_BYTES
        for number, (piece, diff_id) in enumerate(zip(archive.layers, archive.diff_ids, strict=True), 1):
            left -= _checked(file, piece, diff_id, f"layer {number} of the image", left)
    return archive


def refuse_compressed(file: BinaryIO, size: int) -> None:
    """Say it when a compressed file is the archive of an image, which nodes read here and there.

    Args:
        file: at its beginning, seekable; no application, and no root file system.
        size: of it, in bytes.

    Raises:
        Invalid: it is.
    """
    try:
        found = any(info.name in _MARKS for info, _ in infos(Unpacked(file, unpacked_limit(size))))
    except (Invalid, UnicodeError, *UNREADABLE):
        return
    if found:
        raise Invalid("it is the archive of an image, compressed", hint="gunzip, xz -d or zstd -d it first")


class _Hashed(Unpacked):
    def __init__(self, packed: BinaryIO, limit: int) -> None:
        super().__init__(packed, limit)
        self.hashed = hashlib.sha256()

    def _take(self, size: int) -> bytes:
        data = super()._take(size)
        self.hashed.update(data)
        return data


class _Part(io.RawIOBase):
    """One member of a file, as a file."""

    def __init__(self, file: BinaryIO, piece: Piece) -> None:
        self._file = file
        self._piece = piece
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._piece.size}
        self._at = bases[whence] + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        left = max(self._piece.size - self._at, 0)
        self._file.seek(self._piece.offset + self._at)
        data = self._file.read(min(len(view), left))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _checked(file: BinaryIO, piece: Piece, diff_id: str, what: str, left: int) -> int:
    """Read one layer; how many bytes it is unpacked."""
    stream = _Hashed(io.BufferedReader(_Part(file, piece)), min(left, unpacked_limit(piece.size)))
    try:
        for _ in infos(stream):
            pass
        stream.drain()
    except (UnicodeError, *UNREADABLE) as error:
        raise Invalid(f"{what} is damaged") from error
    if stream.hashed.hexdigest() != diff_id:
        raise Invalid(f"{what} is not what its configuration says: damaged, or not its own")
    return stream.tell()
