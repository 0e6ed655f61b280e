"""Reaching a port of the sliver for a check: connect, say something, take the first line of the answer.

It is done here because the init is inside the sliver, whatever network that has, and needs no further
process for it.
"""

from __future__ import annotations

import errno
import os
import socket

from agents.sliver_init.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agents.sliver_init.loop import Loop

    Done = Callable[["Reach", dict[str, Any]], None]

# No name is looked up: that could take as long as it likes.
HOSTS = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
LINE_BYTES = 4096
_SAY_BYTES = 4096


class Reach:
    """One attempt, answered exactly once: `{"connected", "line", "trouble", "timed_out"}`."""

    def __init__(
        self, loop: Loop, opened: socket.socket, where: tuple[str, int], say: str, done: Done
    ) -> None:
        self._loop = loop
        self._say = say.encode()[:_SAY_BYTES]
        self._listens = bool(self._say)
        self._done = done
        self._line = b""
        self._connected = False
        host, port = where
        self._socket: socket.socket | None = opened
        self._socket.setblocking(False)
        address = "127.0.0.1" if host == "localhost" else host
        self._failed = self._socket.connect_ex((address, port))
        if self._failed == errno.EINPROGRESS:
            self._failed = 0
        loop.watch(self._socket.fileno(), WRITE, self._ready)

    def begin(self) -> None:
        """Answer at once what could not be begun."""
        if self._failed:
            self._answer(os.strerror(self._failed))

    def too_long(self) -> None:
        """It has taken its time."""
        self._answer("", timed_out=True)

    def _ready(self, _events: int) -> None:
        if self._socket is None:
            return
        try:
            self._go_on(self._socket)
        except BlockingIOError:
            pass
        except OSError as error:
            self._answer(error.strerror or str(error))

    def _go_on(self, connection: socket.socket) -> None:
        if not self._connected:
            number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._answer(os.strerror(number))
                return
            self._connected = True
        if self._say:
            self._say = self._say[connection.send(self._say) :]
            if not self._say:
                self._loop.watch(connection.fileno(), READ, self._ready)
            return
        if self._listens:
            chunk = connection.recv(LINE_BYTES)
            self._line += chunk
            if chunk and b"\n" not in self._line and len(self._line) < LINE_BYTES:
                return
        self._answer("")

    def _answer(self, error: str, *, timed_out: bool = False) -> None:
        if self._socket is None:
            return
        self._loop.watch(self._socket.fileno(), 0, self._ready)
        self._socket.close()
        self._socket = None
        line = self._line[:LINE_BYTES].partition(b"\n")[0].decode(errors="replace")
        self._done(
            self, {"connected": self._connected, "line": line, "trouble": error, "timed_out": timed_out}
        )
