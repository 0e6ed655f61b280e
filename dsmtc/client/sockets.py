"""What keeps a socket from waiting for ever."""

from __future__ import annotations

import socket
import time

from dsmt_core.errors import DeadlinePassed


def limit(sock: socket.socket | None, until: float | None) -> None:
    """Wait on a socket until then, on the monotonic clock; None: as long as it takes.

    Raises:
        DeadlinePassed: that is over.
    """
    if sock is None:
        return
    if until is None:
        sock.settimeout(None)
        return
    left = until - time.monotonic()
    if left <= 0:
        raise DeadlinePassed("nothing more came in time")
    sock.settimeout(left)


def keep_alive(sock: socket.socket) -> None:
    """Notice within about 25 s that the other machine is gone, even on a silent stream."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
