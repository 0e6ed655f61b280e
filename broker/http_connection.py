"""One connection of an HTTP server of the installation: whoever holds one without using it loses it.

uvicorn waits for ever for the head of a request; with a bound on connections a few silent strangers would
keep everybody out.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class HttpConnection(H11Protocol):
    """uvicorn's HTTP/1.1 with a limit on waiting for a head, and on connections from one address.

    Attributes:
        head_s: seconds within which, and one look, the head of a request comes.
        each: how many connections one address may have.
        look_s: seconds between two looks at a connection.
    """

    head_s: ClassVar[float] = 10.0
    # Of all connections half: the nodes of a site may come from one address.
    each: ClassVar[int] = 256
    look_s: ClassVar[float] = 2.5
    of_address: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        _at_once(transport)
        self._address = self.client[0] if self.client else ""
        self._waits_since: float | None = self.loop.time()
        self.of_address[self._address] += 1
        self._timer = self.loop.call_later(self.look_s, self._look)
        if self.of_address[self._address] > self.each:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Whoever has sent a head need not hurry any more."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._waits_since = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        super().connection_lost(exc)
        self._timer.cancel()
        self.of_address[self._address] -= 1
        if not self.of_address[self._address]:
            del self.of_address[self._address]

    def is_over(self) -> bool:
        """Whether it has waited too long, at a look."""
        now = self.loop.time()
        waits = self.conn.their_state is h11.IDLE
        since = now if self._waits_since is None else self._waits_since
        self._waits_since = since if waits else None
        return waits and now - since > self.head_s

    def _look(self) -> None:
        if self.is_over():
            self.transport.abort()
            return
        self._timer = self.loop.call_later(self.look_s, self._look)


def _at_once(transport: asyncio.Transport) -> None:
    """Send what is written without waiting for more.

    An answer is a head and a body, and a client tells only after 40 ms that it has the first. asyncio does
    so where a socket says that it is TCP's, and an accepted one does not.
    """
    own = transport.get_extra_info("socket")
    if own is not None and own.family in {socket.AF_INET, socket.AF_INET6}:
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
