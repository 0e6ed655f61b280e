"""One connection to the planner's API: whoever holds one without using it loses it.

uvicorn waits for ever for the head of a request; with a bound on connections a few silent strangers would
keep everybody out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# The head of a request comes within this time and one look.
HEAD_S: Final = 10.0
LOOK_S: Final = 2.5
# Of all connections one address may have half: the nodes of a site may come from one.
EACH: Final = 256
# A request line and its headers; no request of ours needs a tenth of it.
HEAD_BYTES: Final = 32 << 10


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 with a limit on waiting for a head, and on connections from one address."""

    of_address: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._waits_since: float | None = self.loop.time()
        self.of_address[self._address] += 1
        self._timer = self.loop.call_later(LOOK_S, self._look)
        if self.of_address[self._address] > EACH:
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

    def _look(self) -> None:
        now = self.loop.time()
        waits = self.conn.their_state is h11.IDLE
        since = now if self._waits_since is None else self._waits_since
        self._waits_since = since if waits else None
        if waits and now - since > HEAD_S:
            self.transport.abort()
            return
        self._timer = self.loop.call_later(LOOK_S, self._look)
