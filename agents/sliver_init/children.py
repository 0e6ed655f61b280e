"""The children of the init: what was started for whom, how it ended, and what it printed."""

from __future__ import annotations

import os

from agents.sliver_init import census, programs
from agents.sliver_init.network import HOST, Network
from agents.sliver_init.pipes import Pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agents.sliver_init.groups import Groups
    from agents.sliver_init.loop import Loop
    from agents.sliver_init.rlimits import Rlimits

    Ended = Callable[[int, int], None]

EXITS_KEPT = 32
RUNNING_MOST = 256


class Children:
    """Starts programs, reaps every process that ends below, and tells who asks.

    Args:
        loop: where descriptors are watched.
        counted: the census that learns of each new process.
        groups, rlimits: what bounds everything but the agent.
    """

    def __init__(self, loop: Loop, counted: census.Census, groups: Groups, rlimits: Rlimits) -> None:
        self._loop = loop
        self.groups = groups
        self.network = Network(HOST)
        self._rlimits = rlimits
        self._census = counted
        self._ended: dict[int, Ended] = {}
        self._applications: dict[int, str] = {}
        self._exits: dict[str, dict[int, int]] = {}
        self.watchers: list[Callable[[int, int, str], None]] = []

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        output: int,
        application: str | None,
    ) -> int:
        """Start a program; its pid.

        Args:
            argv: the program and its arguments.
            env: its whole environment.
            cwd: where it starts.
            output: takes what it prints.
            application: for which; empty for none. None is the agent: it stays beside this process, outside
                the limits.

        Raises:
            programs.CannotStart: it cannot be started, or too many run.
        """
        if len(self._applications) >= RUNNING_MOST:
            raise programs.CannotStart(f"{RUNNING_MOST} programs are running already")
        prepare = None if application is None else self._bounds(application)
        pid = programs.start(argv, env=env, cwd=cwd, output=output, prepare=prepare)
        self._applications[pid] = application or ""
        if application:
            self._census.add(pid, application)
        return pid

    def _bounds(self, application: str) -> Callable[[], None]:
        group = self.groups.prepare(application)

        def prepare() -> None:
            self.groups.enter(group)
            self.network.enter()
            self._rlimits.set()

        return prepare

    def when_ended(self, pid: int, call: Ended) -> None:
        """Have ``call`` told (pid, exit code) when this child has ended."""
        self._ended[pid] = call

    def exits(self, application: str) -> dict[int, int]:
        """Map pid → exit code (minus the signal) of the last children of an application that ended."""
        return dict(self._exits.get(application, {}))

    def reap(self) -> None:
        """Collect every process that has ended, orphans included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._tell(pid, os.waitstatus_to_exitcode(status))

    def _tell(self, pid: int, code: int) -> None:
        application = self._applications.pop(pid, "")
        ended = self._ended.pop(pid, None)
        if application and ended is None:
            self._note(application, pid, code)
        for watcher in list(self.watchers):
            watcher(pid, code, application)
        if ended is not None:
            ended(pid, code)

    def _note(self, application: str, pid: int, code: int) -> None:
        exits = self._exits.pop(application, {})
        exits[pid] = code
        while len(exits) > EXITS_KEPT:
            exits.pop(next(iter(exits)))
        self._exits[application] = exits
        while len(self._exits) > RUNNING_MOST:
            self._exits.pop(next(iter(self._exits)))


class Output:
    """What a program prints, up to ``limit`` bytes; the rest is read and thrown away."""

    def __init__(self, loop: Loop, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._length = 0
        self._pipe = Pipe(loop, self._taken)

    @property
    def write(self) -> int:
        """Where the program prints to."""
        return self._pipe.write

    def close_write(self) -> None:
        """The program holds the writing end; this process needs it no more."""
        os.close(self._pipe.write)

    def take(self) -> str:
        """What was printed so far; nothing is kept from now on."""
        # Bounded: a program that prints without end must not hold the init here.
        for _ in range(64):
            if not self._pipe.more():
                break
        text = b"".join(self._pieces).decode(errors="replace")
        self._pieces, self._limit = [], 0
        return text

    def _taken(self, chunk: bytes) -> None:
        room = self._limit - self._length
        if room > 0:
            self._pieces.append(chunk[:room])
            self._length += len(self._pieces[-1])
