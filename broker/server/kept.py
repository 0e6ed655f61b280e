"""A handle on a command under the keeper: started, ended in order, or killed with all it started.

The handle holds the leash, one end of a pipe: when the owner's process is gone, by whatever death, the
keeper ends everything. All methods block for a bounded time; call them in a thread from asyncio.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from dsmt_core.errors import NotFound, Unavailable

_KEEPER: Final = Path(__file__).with_name("keeper.py")
_START_S: Final = 30.0
# The keeper bounds its own killing at 10 s.
_KILL_S: Final = 15.0


class Kept:
    """One command that ends with its owner, together with everything that it started.

    Args:
        grace_s: how long `end` leaves the command after SIGTERM; 0 kills at once.
    """

    def __init__(self, *, grace_s: float = 0.0) -> None:
        self._grace_s = grace_s
        self._keeper: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self.pid = 0

    def start(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> int:
        """Start ``argv`` with exactly this environment; its output is appended to ``log``.

        Returns:
            The command's pid (not the keeper's).

        Raises:
            NotFound: there is no such program.
            Unavailable: the keeper did not answer.
        """
        if self.running:
            raise Unavailable(f"{argv[0]} is running already as {self.pid}")
        self._code = None
        if shutil.which(argv[0], path=env.get("PATH", os.defpath)) is None:
            raise NotFound(f"{argv[0]} cannot be started", hint="is it installed and executable?")
        command = [sys.executable, "-I", "-S", str(_KEEPER), "--grace", str(self._grace_s), "--", *argv]
        with log.open("ab") as output:
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=dict(env),
                start_new_session=True,
            )
        self.pid = self._told_pid(argv[0])
        return self.pid

    @property
    def running(self) -> bool:
        """Whether the command, or anything that it started, may still be there."""
        return self._keeper is not None and self.wait(0.0) is None

    def wait(self, timeout_s: float) -> int | None:
        """The exit code once all has ended; None when it has not within ``timeout_s``."""
        if self._keeper is None:
            return self._code
        try:
            self._code = self._keeper.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._forget()
        return self._code

    def end(self) -> int | None:
        """SIGTERM, the grace, then SIGKILL for all that is left; may be called twice."""
        return self._finish(signal.SIGTERM, self._grace_s + _KILL_S)

    def kill(self) -> int | None:
        """End everything at once, as a power failure would; may be called twice."""
        return self._finish(signal.SIGUSR1, _KILL_S)

    def _finish(self, number: signal.Signals, within_s: float) -> int | None:
        if self._keeper is not None:
            self._keeper.send_signal(number)
            self.wait(within_s)
            self._forget()
        return self._code

    def _forget(self) -> None:
        """Let go of the leash, and of the pipes."""
        if self._keeper is None:
            return
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._keeper.wait(_KILL_S)
        self._keeper = None

    def _told_pid(self, program: str) -> int:
        keeper = self._keeper
        if keeper is None or keeper.stdout is None:
            raise Unavailable(f"{program} was not started")
        line = _line(keeper.stdout, _START_S)
        if line.startswith("pid "):
            return int(line.removeprefix("pid "))
        self.kill()
        raise Unavailable(f"{program} was not started within {_START_S:.0f} s")


def _line(pipe: IO[bytes], within_s: float) -> str:
    # select() itself knows no descriptor beyond 1023, and a simulated fleet has more.
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    ready = readable.poll(within_s * 1_000)
    return os.read(pipe.fileno(), 200).decode(errors="replace").strip() if ready else ""
