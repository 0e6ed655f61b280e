"""Logs with a bound: what a program prints goes to a file that is emptied when it grows too long.

The program keeps its descriptor, so the file cannot be renamed away from it; its content is copied to
``NAME.1`` and the file cut to nothing. Since it was opened for appending, the program goes on at zero.
"""

from __future__ import annotations

import contextlib
import os

LOG_BYTES = 4 << 20
LOGS = 256
_CHUNK = 1 << 16


class Logs:
    """The logs that programs of this sliver write to."""

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}

    def open(self, path: str) -> int:
        """A descriptor for appending to ``path`` (its directory is made); the null device without one."""
        if not path:
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        with contextlib.suppress(FileExistsError):
            os.makedirs(os.path.dirname(path) or "/", mode=0o755)
        self._paths.pop(path, None)
        self._paths[path] = None
        while len(self._paths) > LOGS:
            self._paths.pop(next(iter(self._paths)))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(path, flags, 0o644)

    def trim(self) -> None:
        """Empty what has grown above its bound; to be called every few seconds."""
        for path in self._paths:
            with contextlib.suppress(OSError):
                if os.stat(path).st_size > LOG_BYTES:
                    _turn(path)


def _turn(path: str) -> None:
    old = os.open(f"{path}.1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(old, "wb") as kept, open(path, "rb+") as log:
        # The newest part is what somebody will look for.
        log.seek(-LOG_BYTES, os.SEEK_END)
        left = LOG_BYTES
        while left > 0 and (chunk := log.read(min(left, _CHUNK))):
            kept.write(chunk)
            left -= len(chunk)
        log.truncate(0)
