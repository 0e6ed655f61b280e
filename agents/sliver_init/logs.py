"""Logs with a bound: what a program prints comes through a pipe and is appended here, in two files.

A log that has grown to its bound becomes ``NAME.1``. Given the file itself, a program that prints
without end would fill the disk between two looks at it. What cannot be written is lost: no program waits
for its log.
"""

from __future__ import annotations

import contextlib
import os
import time

from agents.sliver_init.pipes import Pipe
from agents.sliver_init.stamps import Stamper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agents.sliver_init.loop import Loop

LOG_BYTES = 4 << 20
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Logs:
    """Where programs of this sliver print to."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def open(self, path: str, *, stamped: bool = False) -> int:
        """A descriptor to print into, the caller's to close; the null device without a path.

        With ``stamped`` each line gets the time at which it was read.
        """
        if not path:
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        if not stamped:
            return Pipe(self._loop, lambda chunk: append(path, chunk)).write
        stamper = Stamper()
        return Pipe(self._loop, lambda chunk: append(path, stamper.stamped(chunk, time.time()))).write


def append(path: str, chunk: bytes) -> None:
    """Write ``chunk`` at the end of the log at ``path``; its directory is made."""
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path) or "/", mode=0o755, exist_ok=True)
        log = os.open(path, _FLAGS, 0o644)
        try:
            if os.fstat(log).st_size + len(chunk) > LOG_BYTES:
                os.replace(path, f"{path}.1")
                os.close(log)
                log = os.open(path, _FLAGS, 0o644)
            os.write(log, chunk)
        finally:
            os.close(log)
