"""Ports of the loopback interface that stay with their owner while nobody listens on them.

A server that is started, or started again, needs the port that its clients were told. Chosen and let go,
any other program may have it in the meantime. So it is kept bound, without listening: the kernel then gives
it to nobody else, refuses connections, and lets a server listen that sets SO_REUSEADDR as well (Linux,
socket(7)).
"""

from __future__ import annotations

import os
import socket
import weakref
from typing import Final

LOOPBACK: Final = "127.0.0.1"


class HeldPort:
    """One port, held until this object goes.

    Args:
        asked: its number; 0 takes a free one.

    Raises:
        OSError: somebody has it (EADDRINUSE).
    """

    def __init__(self, asked: int = 0) -> None:
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((LOOPBACK, asked))
            self.number: int = bound.getsockname()[1]
            # Whoever holds it may end in any way: it goes with the object, not with a call.
            self._release = weakref.finalize(self, os.close, bound.detach())

    def release(self) -> None:
        """Let it go; may be called twice."""
        self._release()
