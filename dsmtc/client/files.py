"""A file on its way to the planner: its digest goes ahead, its bytes come in pieces, none is held whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from dsmt_core.errors import Invalid
from dsmtc.client.transport import CHUNK_BYTES


def described(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file in hex, and its size in bytes.

    Raises:
        Invalid: it cannot be read, or is no file.
    """
    try:
        if not path.is_file() and path.exists():
            raise Invalid(f"{path} is not a file", hint="put packages, such as rpmgen makes")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def file_chunks(file: IO[bytes], size: int, *, told: Callable[[int], None]) -> Iterator[bytes]:
    """Exactly ``size`` bytes of ``file`` in pieces; ``told`` hears how many are sent so far.

    Raises:
        Invalid: the file is shorter than it was.
    """
    sent = 0
    while sent < size:
        chunk = file.read(min(CHUNK_BYTES, size - sent))
        if not chunk:
            raise Invalid("the file became shorter while it was being sent", hint="put it again")
        yield chunk
        sent += len(chunk)
        told(sent)


def sent_headers(digest: str, begin: int, size: int) -> dict[str, str]:
    """The headers of a package whose first ``begin`` bytes came earlier."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(size - begin),
        "X-Content-SHA256": digest,
    }
    return headers | ({"Content-Range": f"bytes {begin}-{size - 1}/{size}"} if begin else {})
