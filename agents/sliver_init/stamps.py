"""When a line was printed: ``2026-11-28T02:08:28.123Z `` before it, by this machine's clock.

Stamped by the reader of a pipe, so programs need not do it, and whoever asks for the last ten minutes can
be answered. A line without a stamp was printed with the one before it.
"""

from __future__ import annotations

import time

LENGTH = 25
# A program that prints empty or tiny lines without end must not have its log grow many times as fast.
_LINES_MOST = 2048
_FORM = b"0000-00-00T00:00:00.000Z "
_DIGITS = b"0123456789"


class Stamper:
    """Stamps what comes through one pipe."""

    def __init__(self) -> None:
        self._begins = True

    def stamped(self, chunk: bytes, now: float) -> bytes:
        """A chunk with stamps; ``now`` in seconds since the epoch."""
        stamp = stamp_of(now)
        ends = chunk.endswith(b"\n")
        first = stamp if self._begins else b""
        self._begins = ends
        if chunk.count(b"\n") > _LINES_MOST:
            return first + chunk
        body = chunk[:-1] if ends else chunk
        return first + body.replace(b"\n", b"\n" + stamp) + (b"\n" if ends else b"")


def stamp_of(now: float) -> bytes:
    """The stamp of a moment, seconds since the epoch."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{whole}.{int(now * 1000) % 1000:03d}Z ".encode()


def is_stamped(line: bytes) -> bool:
    """Whether a line begins with a stamp."""
    return len(line) >= LENGTH and all(
        (mine in _DIGITS) if form in _DIGITS else mine == form
        for mine, form in zip(line, _FORM, strict=False)
    )
