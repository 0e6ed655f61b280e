"""How often a file has been replaced: the kernel counts (inotify(7)), so none is missed under load."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_MOVED_TO = 0x80
# One event: watch, mask, cookie, bytes of the name behind it, padded with zeros.
_EVENT = struct.Struct("iIII")
_LIBC = ctypes.CDLL(None, use_errno=True)


class Changes:
    """Counts how often ``file`` was renamed over since it is watched; use it as a context."""

    def __init__(self, file: Path) -> None:
        self._name = file.name.encode()
        self._seen = 0
        self._descriptor = _done(_LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        _done(_LIBC.inotify_add_watch(self._descriptor, os.fsencode(file.parent), _MOVED_TO))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def seen(self) -> int:
        """How many there were until now."""
        try:
            events = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return self._seen
        while events:
            length = _EVENT.unpack_from(events)[3]
            name, events = events[_EVENT.size : _EVENT.size + length], events[_EVENT.size + length :]
            self._seen += name.rstrip(b"\0") == self._name
        return self._seen


def _done(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
