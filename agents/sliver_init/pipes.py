"""A pipe that a program prints into, read here for as long as anybody holds it.

A daemon whose output nobody reads would stop, or die of SIGPIPE; one that prints without end is slowed
down by the pipe, and costs neither this process nor the disk more than its share.
"""

from __future__ import annotations

import os

from agents.sliver_init.loop import READ, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 16
# After a full chunk: 6 MB/s are more than a program has to say.
_PAUSE_S = 0.01


class Pipe:
    """Hands what is printed into ``write`` to ``take``, a chunk at a time."""

    def __init__(self, loop: Loop, take: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._take = take
        self._read, self.write = os.pipe()
        os.set_blocking(self._read, False)
        self._watch()

    def more(self) -> bool:
        """Take what is there now, at most one chunk; whether there was something."""
        if self._read < 0:
            return False
        try:
            chunk = os.read(self._read, CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.watch(self._read, 0, self._ready)
            os.close(self._read)
            self._read = -1
            return False
        self._take(chunk)
        if len(chunk) == CHUNK:
            self._loop.watch(self._read, 0, self._ready)
            self._loop.later(_PAUSE_S, self._watch)
        return True

    def _watch(self) -> None:
        if self._read >= 0:
            self._loop.watch(self._read, READ, self._ready)

    def _ready(self, _events: int) -> None:
        self.more()
