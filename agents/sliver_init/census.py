"""Who belongs to which application: a reading of /proc, never a promise by the application.

A process belongs to an application when its environment carries the mark that everything started here
inherits, or when it descends from, or shares a session with, a process that belongs to it, or once did:
what was recognised stays recognised until it ends. So a daemon that forks twice and leaves its session
is found. A process that in one go clears its environment, forks twice and leaves its session belongs to
nobody; it ends with the sliver.
"""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SLIVER_MARK = "DSMT_SLIVER"
APPLICATION_MARK = "DSMT_APPLICATION"
NOBODY = ""
_ENVIRONMENT_BYTES = 1 << 20
_ROUNDS = 50


class Process:
    """One line of the process table; ``start`` is field 22 of its stat, which tells a reused pid."""

    __slots__ = ("parent", "pid", "session", "start", "zombie")

    def __init__(self, pid: int, text: str) -> None:
        # The name may hold spaces and brackets: count from the last one.
        fields = text[text.rindex(")") + 2 :].split()
        self.pid = pid
        self.zombie = fields[0] in "ZX"
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.start = int(fields[19])


def process_table() -> dict[int, Process]:
    """All processes that /proc shows."""
    table = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                table[int(name)] = _process(int(name))
    return table


def _process(pid: int) -> Process:
    return Process(pid, _read(f"/proc/{pid}/stat", 4096).decode(errors="replace"))


def tree(root: int) -> list[int]:
    """The living processes that descend from ``root`` or share its session, eldest first."""
    # A dict, for its order: a parent that dies after its child could still act on that.
    found: dict[int, None] = {}
    table = process_table()
    for process in sorted(table.values(), key=lambda each: (each.start, each.pid)):
        if root in {process.pid, process.session} or process.parent in found:
            found[process.pid] = None
    return [pid for pid in found if not table[pid].zombie]


class Census:
    """Counts the processes of one sliver by application.

    Args:
        mark: the sliver's, as its processes carry it in ``DSMT_SLIVER``.
        alone: whether every process that /proc shows belongs to the sliver (a pid name space of its own).
        below: the pid whose children are the sliver's without any mark; the caller's only in the init.
        grouped: pid → application of what a cgroup knows; nothing it does takes a process out of it.
    """

    def __init__(
        self,
        mark: str,
        *,
        alone: bool,
        below: int,
        grouped: Callable[[], dict[int, str]] = dict,
    ) -> None:
        self._mark = mark
        self._alone = alone
        self._me = os.getpid()
        self._below = below
        self._grouped = grouped
        self._known: dict[tuple[int, int], str] = {}
        self._sessions: dict[int, str] = {}

    def add(self, pid: int, application: str) -> None:
        """Remember a process that was just started here."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            process = _process(pid)
            self._known[pid, process.start] = application
            self._sessions[pid] = application

    def owners(self) -> dict[int, str]:
        """Map pid → application of each living process of the sliver but this one; `NOBODY` if none."""
        return self._owners(process_table())

    def of(self, application: str, *, leaving_out: Iterable[int] = ()) -> list[int]:
        """The living processes of an application, but for those in the sessions ``leaving_out``."""
        # Owners and sessions by one reading: what ends between two would have an owner and no session.
        table = process_table()
        sessions = set(leaving_out)
        return sorted(
            pid
            for pid, owner in self._owners(table).items()
            if owner == application and table[pid].session not in sessions
        )

    def _owners(self, table: Mapping[int, Process]) -> dict[int, str]:
        owners: dict[int, str] = {}
        grouped = self._grouped()
        for process in sorted(table.values(), key=lambda each: (each.start, each.pid)):
            if process.pid != self._me and not process.zombie:
                owner = grouped.get(process.pid) or self._owner(process, owners)
                if owner is not None:
                    owners[process.pid] = owner
        self._remember(table, owners)
        return owners

    def signal_all(self, number: int, application: str | None = None) -> int:
        """Signal every process of ``application`` (None: of the sliver); how many were signalled.

        For SIGKILL it counts again until none is left, so that what forks meanwhile is met too.
        """
        reached: set[int] = set()
        for _ in range(_ROUNDS if number == signal.SIGKILL else 1):
            met = [pid for pid, owner in self.owners().items() if application in {None, owner}]
            if not met:
                break
            for pid in met:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
                    reached.add(pid)
        return len(reached)

    def _owner(self, process: Process, owners: Mapping[int, str]) -> str | None:
        known = self._known.get((process.pid, process.start))
        if known is not None:
            return known
        marked = self._marked(process.pid)
        if marked:
            return marked
        inherited = owners.get(process.parent) or self._sessions.get(process.session)
        if inherited:
            return inherited
        belongs = (
            self._alone or marked is not None or process.parent in owners or process.parent == self._below
        )
        return NOBODY if belongs else None

    def _marked(self, pid: int) -> str | None:
        """The application that the environment of ``pid`` names; None when it is not of this sliver."""
        try:
            environment = _read(f"/proc/{pid}/environ", _ENVIRONMENT_BYTES)
        except OSError:
            return None
        pairs = [part.partition(b"=") for part in environment.split(b"\0")]
        marks = {name: value for name, _, value in pairs if name.startswith(b"DSMT_")}
        if marks.get(SLIVER_MARK.encode()) != self._mark.encode():
            return None
        return marks.get(APPLICATION_MARK.encode(), b"").decode(errors="replace")

    def _remember(self, table: Mapping[int, Process], owners: Mapping[int, str]) -> None:
        mine = {pid: table[pid] for pid in owners}
        self._known = {(pid, each.start): owners[pid] for pid, each in mine.items() if owners[pid]}
        alive = {each.session for each in table.values()}
        self._sessions = {
            session: owner for session, owner in self._sessions.items() if session in alive and owner
        }
        for pid, each in mine.items():
            if owners[pid] and each.session == pid:
                self._sessions[pid] = owners[pid]


def _read(path: str, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, limit)
    finally:
        os.close(descriptor)
