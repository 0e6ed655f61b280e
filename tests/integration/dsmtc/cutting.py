"""A line that breaks: it passes bytes on, and cuts a connection after so many of them, now and then."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Line:
    """A line to a server.

    Args:
        url: of the server.
        cuts: the connections that send much are cut after so many bytes, one after the other; then none.
    """

    def __init__(self, url: str, cuts: list[int]) -> None:
        parts = urlsplit(url)
        self._server = (str(parts.hostname), int(parts.port or 0))
        self.cuts = cuts
        self.sent = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        come = 0
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                come += len(data)
                self.sent += len(data)
                if self.cuts and come > self.cuts[0]:
                    self.cuts.pop(0)
                    break
                server.sendall(data)
        _end(client, server)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                client.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def breaking(url: str, cuts: list[int]) -> Iterator[Line]:
    """A line that runs."""
    line = Line(url, cuts)
    try:
        yield line
    finally:
        line.close()
