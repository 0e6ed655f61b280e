"""The socket of the init: one JSON line a request, one JSON line an answer, everything bounded.

A client is answered in the order of its lines; one that does not read its answers, or sends a line too
long, is cut off. The socket lies in a directory that only the sliver and its manager reach.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import struct

from agents.sliver_init.loop import READ, WRITE, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Answer = Callable[[dict[str, Any]], None]
    Handle = Callable[[dict[str, Any], "Client"], None]

CLIENTS = 32
BACKLOG = 128
LINE_BYTES = 256 << 10
UNREAD_BYTES = 8 << 20
_CHUNK = 1 << 16


def listen(path: str) -> socket.socket:
    """A listening socket at ``path``, whatever the length of the path; an old socket is replaced."""
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.unlink(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket's address has at most 107 bytes; by way of the directory's descriptor it is short.
        listening.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)
    os.chmod(path, 0o600)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


class Server:
    """Accepts clients and hands their requests to ``handle``."""

    def __init__(self, loop: Loop, listening: socket.socket, handle: Handle) -> None:
        self._loop = loop
        self._listening = listening
        self._handle = handle
        self._clients: set[Client] = set()
        loop.watch(listening.fileno(), READ, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        if len(self._clients) >= CLIENTS:
            connection.close()
            return
        self._clients.add(Client(self._loop, connection, self._handle, self._clients.discard))


class Client:
    """One connection; ``on_close`` runs when it has ended, by whichever side."""

    def __init__(
        self, loop: Loop, connection: socket.socket, handle: Handle, gone: Callable[[Client], None]
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._handle = handle
        self._gone = gone
        self._in = bytearray()
        self._out = bytearray()
        self._busy = False
        self._open = True
        self.on_close: Callable[[], None] | None = None
        connection.setblocking(False)
        loop.watch(connection.fileno(), READ, self._ready)

    @property
    def is_outside(self) -> bool:
        """Whether the client's process is none of this pid name space: the node's, and not the sliver's."""
        size = struct.calcsize("3i")
        told = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid = struct.unpack("3i", told)[0]
        # Without a name space of its own nobody can be told apart, and there are no walls anyway.
        return bool(pid == 0 or os.getpid() != 1)

    def answer(self, value: dict[str, Any]) -> None:
        """The one answer to the request under way; then the next line's turn comes."""
        self._busy = False
        self.tell(value)
        self._next()

    def tell(self, value: dict[str, Any]) -> None:
        """One more line that was not asked for singly (a watch)."""
        if self._open:
            self._out += json.dumps(value).encode() + b"\n"
            self._send()

    def hand(self, value: dict[str, Any], descriptors: list[int]) -> bool:
        """One more line, with copies of descriptors; whether it went out, at once or never."""
        line = json.dumps(value).encode() + b"\n"
        if not self._open or self._out:
            return False
        try:
            return socket.send_fds(self._connection, [line], descriptors) == len(line)
        except OSError:
            return False

    def close(self) -> None:
        """Cut it off; may be called twice."""
        if not self._open:
            return
        self._open = False
        self._loop.watch(self._connection.fileno(), 0, self._ready)
        self._connection.close()
        self._gone(self)
        if self.on_close is not None:
            self.on_close()

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._send()
        if self._open and events & READ:
            self._receive()

    def _receive(self) -> None:
        try:
            chunk = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._in += chunk
        if not chunk or len(self._in) > LINE_BYTES:
            self.close()
        else:
            self._next()

    def _next(self) -> None:
        while self._open and not self._busy and b"\n" in self._in:
            line, _, rest = bytes(self._in).partition(b"\n")
            self._in = bytearray(rest)
            self._busy = True
            try:
                request = json.loads(line)
            except (ValueError, RecursionError):
                request = None
            if isinstance(request, dict):
                self._handle(request, self)
            else:
                self.answer({"error": "the request is not a JSON object", "hint": "one object a line"})

    def _send(self) -> None:
        try:
            while self._out:
                del self._out[: self._connection.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if len(self._out) > UNREAD_BYTES:
            self.close()
        elif self._open:
            self._loop.watch(self._connection.fileno(), READ | (WRITE if self._out else 0), self._ready)
