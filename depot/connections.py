"""One connection of the depot: as of every HTTP server of the installation, and closed for good.

Rule of this file: uvicorn waits for ever for a closed connection's last bytes to be read; with a bound on
connections a few strangers who do not read would keep everybody out.
"""

from __future__ import annotations

from typing import ClassVar

from broker.http_connection import HttpConnection


class Connection(HttpConnection):
    """One that is closed is gone at the next look but one, whether its last bytes were read or not."""

    look_s: ClassVar[float] = 5.0
    _closing = False

    def is_over(self) -> bool:
        """Also when it was closing at the last look already."""
        over = super().is_over() or (self._closing and self.transport.is_closing())
        self._closing = self.transport.is_closing()
        return over
