"""Long answers come compressed from another machine: rows that are alike need a tenth of the wire."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Final

ACCEPT: Final = "Accept-Encoding"
_GZIP: Final = "gzip"
_HERE: Final = frozenset({"localhost", "::1"})


def asking(host: str | None) -> Mapping[str, str]:
    """What a request to a host says; on one's own machine to compress is work for nothing."""
    name = host or ""
    return {} if name in _HERE or name.startswith("127.") else {ACCEPT: _GZIP}


def unpacked(answer: HTTPResponse, most: int) -> bytes:
    """The body of an answer, as it was before it was compressed, and of it ``most`` bytes."""
    body = answer.read(most)
    coding = answer.headers.get("Content-Encoding") or ""
    return _read(body, most) if coding.strip().lower() == _GZIP else body


def _read(body: bytes, most: int) -> bytes:
    """What was compressed; empty when it is broken, which no JSON is."""
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = reader.decompress(body, most)
    except zlib.error:
        return b""
    return found if reader.eof or len(found) == most else b""
