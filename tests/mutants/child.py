"""A forked process that does one thing, within bounds, and tells what came out."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

# Bytes that a child may take beyond what its parent has, so that an endless list ends soon.
_MEMORY: Final = 2 << 30
# Seconds after which children that neither compute nor end are killed.
_LONGEST: Final = 300.0


class OutOfTime(Exception):
    """A child has used up its processor time, or waits for ever."""


class Child:
    """A fork of this process, from its start until its answer is asked for.

    Args:
        do: what it does; its answer is anything that JSON can tell.
        seconds: of processor time that it may take.
    """

    def __init__(self, do: Callable[[], Any], seconds: float) -> None:
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                _bound(seconds)
                os.write(writing, json.dumps(do()).encode())
            finally:
                os._exit(0)
        os.close(writing)

    def fileno(self) -> int:
        """What `select` waits for."""
        return self._reading

    def answer(self) -> Any:
        """What came out; None if it ended early. Waits for it.

        Raises:
            OutOfTime: it took too long.
        """
        with os.fdopen(self._reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
            raise OutOfTime
        return json.loads(told) if told else None

    def kill(self) -> None:
        """End it; it is out of time then."""
        os.kill(self._pid, signal.SIGKILL)


def first_ready(children: Collection[Child]) -> Child:
    """Wait for one of several children; who waits for ever is killed."""
    ready, _, _ = select.select(list(children), [], [], _LONGEST)
    if not ready:
        for child in children:
            child.kill()
        ready, _, _ = select.select(list(children), [], [])
    return ready[0]


def _bound(seconds: float) -> None:
    whole = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * os.sysconf("SC_PAGE_SIZE") + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # The tests must not write into the story of their parent.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
