"""One run: a program to its end, or to its time-out, answered exactly once."""

from __future__ import annotations

import contextlib
import os
import signal

from agents.sliver_init.census import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agents.sliver_init.children import Output

    Done = Callable[["Run", dict[str, Any]], None]

# After it was killed for taking too long, how long its end may take before it is answered anyway.
KILL_S = 5.0


class Run:
    """A program that somebody waits for, run as an application or as none."""

    def __init__(self, pid: int, application: str, output: Output, done: Done) -> None:
        self.pid = pid
        self.application = application
        self._output = output
        self._done = done
        self._timed_out = False
        self._answered = False

    def ended(self, _pid: int, code: int) -> None:
        """It has ended by itself or by `too_long`."""
        self._answer(code)

    def too_long(self) -> None:
        """End it with its descendants, if it is still there."""
        if self._answered:
            return
        self._timed_out = True
        for pid in tree(self.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def give_up(self) -> None:
        """Answer although it will not go, stuck in the kernel perhaps."""
        self._answer(-signal.SIGKILL)

    def _answer(self, code: int) -> None:
        if not self._answered:
            self._answered = True
            printed = self._output.take()
            self._done(self, {"exit": code, "output": printed, "timed_out": self._timed_out})
