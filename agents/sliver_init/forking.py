"""The agent out of the node's fork server, where the node offers that; in every other case, soon, none.

What it is to know goes through a pipe of this process straight to it, and only once the process that the
node names is there as a child of this one: whoever else comes late finds the pipe closed, and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agents.sliver_init.loop import Loop
    from agents.sliver_init.server import Client

WITHIN_S = 15.0
# Less than a pipe holds at least: it is written at once, or not at all.
CONTENT_BYTES = 60_000


class Forking:
    """One agent at a time.

    Args:
        loop: its clock.
        content: what an agent is given when it is there; empty when none is wanted any more.
        done: told the pid of the agent; 0 when there will be none this way.
    """

    def __init__(self, loop: Loop, content: Callable[[], bytes], done: Callable[[int], None]) -> None:
        self._loop = loop
        self._content = content
        self._done = done
        self._client: Client | None = None
        self._serial = 0
        self._pipe = -1

    @property
    def waits(self) -> bool:
        """Whether one is on its way."""
        return self._pipe >= 0

    def offered(self, client: Client) -> None:
        """From now on ask there; the last who offers is asked."""
        self._client = client
        client.on_close = lambda: self._gone(client)

    def ask(self, output: int) -> bool:
        """Ask for an agent that prints to ``output``; whether somebody was asked."""
        if self._client is None or not 0 < len(self._content()) <= CONTENT_BYTES:
            return False
        reads, self._pipe = os.pipe()
        self._serial += 1
        serial = self._serial
        try:
            sent = self._client.hand({"fork": serial}, [output, reads])
        finally:
            os.close(reads)
        if not sent:
            self._close()
            return False
        self._loop.later(WITHIN_S, lambda: self.answered({"serial": serial, "pid": 0}))
        return True

    def answered(self, answer: dict[str, Any]) -> None:
        """What became of a question; what nobody waits for any more is ignored."""
        if not self.waits or answer.get("serial") != self._serial:
            return
        pid = answer.get("pid")
        given = isinstance(pid, int) and pid > 1 and _lives_below(pid) and self._give(pid)
        self._close()
        self._done(pid if given and isinstance(pid, int) else 0)

    def _give(self, pid: int) -> bool:
        content = self._content()
        try:
            return bool(content) and os.write(self._pipe, content) == len(content)
        except OSError:
            # It has ended already. Should it not have: half of it is no use to anybody.
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            return False

    def _gone(self, client: Client) -> None:
        if client is self._client:
            self._client = None
            self.answered({"serial": self._serial, "pid": 0})

    def _close(self) -> None:
        os.close(self._pipe)
        self._pipe = -1


def _lives_below(pid: int) -> bool:
    """Whether it is a child of this process that has not ended; an end is left for whoever reaps."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except OSError:
        return False
