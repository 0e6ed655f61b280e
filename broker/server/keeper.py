"""Runs one command and ends all that it started, also when the keeper's own owner is killed.

    python -m broker.server.keeper [--grace S] -- COMMAND …

Standard input is the leash: the owner holds the other end of that pipe, and when the owner is gone, by
whatever death, the pipe ends. Then, or at SIGTERM or SIGINT, or when the command ends by itself, every
descendant is frozen and killed: also daemons and members of other sessions, since the keeper is their
subreaper (prctl(2), PR_SET_CHILD_SUBREAPER). SIGUSR1 kills at once and skips the grace.

Needs nothing but the standard library, Linux and /proc; neither root nor name spaces. It writes
``pid N`` as its only line on standard output, and ends with the command's exit code
(128 + signal when it was killed).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import selectors
import signal
import sys
import time
from collections.abc import Iterable

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_KILL_S = 10.0
_STDIN = 0


def descendants(root: int) -> set[int]:
    """The pids of all living processes below ``root``, zombies left out."""
    children: dict[int, list[int]] = {}
    states: dict[int, str] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if name.isdigit() and (entry := _parent_and_state(int(name))):
            children.setdefault(entry[0], []).append(int(name))
            states[int(name)] = entry[1]
    found: set[int] = set()
    unvisited = [root]
    while unvisited:
        below = children.get(unvisited.pop(), [])
        found.update(below)
        unvisited.extend(below)
    return {pid for pid in found if states[pid] not in "ZX"}


def end_all(root: int, within_s: float = _KILL_S) -> bool:
    """Freeze, then SIGKILL everything below ``root``, until nothing is left.

    Freezing first means that nothing can start something else while it is being looked at.

    Returns:
        Whether nothing is left.
    """
    deadline = time.monotonic() + within_s
    while left := descendants(root):
        if time.monotonic() > deadline:
            return False
        frozen: set[int] = set()
        while fresh := descendants(root) - frozen:
            _signal(fresh, signal.SIGSTOP)
            frozen |= fresh
        _signal(left | frozen, signal.SIGKILL)
        _reap()
        time.sleep(0.005)
    return _reap_rest(deadline)


def _parent_and_state(pid: int) -> tuple[int, str] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - pathlib would double the start time
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[1]), fields[0].decode()


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        # Gone already, or another user's (a setuid program): the deadline of `end_all` bounds that.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _reap() -> dict[int, int]:
    """Collect every child that has ended: pid to exit code."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            code = os.waitstatus_to_exitcode(status)
            ended[pid] = code if code >= 0 else 128 - code
    return ended


def _reap_rest(deadline: float) -> bool:
    """Wait for those that are still dying: whoever finds a zombie takes it for a living process."""
    while time.monotonic() < deadline:
        _reap()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        time.sleep(0.002)
    return False


class _Keeper:
    """One command under watch; all its waiting is one selector over the leash and the signals."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._wake, wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._selector.register(_STDIN, selectors.EVENT_READ)
        self._pid = 0
        self._code: int | None = None

    def run(self, command: list[str]) -> int:
        self._pid = _start(command)
        reason = self._wait(None)
        if reason in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} and self._grace_s > 0:
            _signal([self._pid], signal.SIGTERM)
            self._wait(time.monotonic() + self._grace_s)
        self._collect()
        complete = end_all(os.getpid())
        if self._code is None:
            self._code = 128 + signal.SIGKILL
        return self._code if complete else 1

    def _wait(self, deadline: float | None) -> int:
        """Until the command ends (0), the leash is gone (0), a signal asks, or the deadline passes (0)."""
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return 0
            for key, _events in self._selector.select(left):
                if key.fd == _STDIN:
                    if not os.read(_STDIN, 4096):
                        return 0
                elif reason := self._asked(os.read(self._wake, 64), graceful=deadline is not None):
                    return reason
            if self._code is not None:
                return 0

    def _asked(self, numbers: bytes, *, graceful: bool) -> int:
        if signal.SIGCHLD in numbers:
            self._collect()
        if signal.SIGUSR1 in numbers:
            return signal.SIGUSR1
        # Asked to end a second time, it does not start the grace again.
        return next((n for n in numbers if n != signal.SIGCHLD), 0) if not graceful else 0

    def _collect(self) -> None:
        self._code = _reap().get(self._pid, self._code)


def _start(command: list[str]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.write(1, f"pid {pid}\n".encode())
        return pid
    # From here on it is the command's process: it must never return.
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)
        # Standard output is the line to the owner; the command's output goes where errors go: the log.
        os.dup2(os.open(os.devnull, os.O_RDONLY), _STDIN)
        os.dup2(2, 1)
        os.execvpe(command[0], command, _environment())  # noqa: S606 - no shell, on purpose
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    finally:
        os._exit(127)


def _environment() -> dict[bytes, bytes]:
    """The environment as it was given: Python adds LC_CTYPE to its own where there is no locale."""
    with open("/proc/self/environ", "rb") as given:  # noqa: PTH123 - as above
        pairs = given.read().split(b"\0")
    split = (pair.partition(b"=") for pair in pairs if b"=" in pair)
    return {name: value for name, _, value in split}


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(arguments: list[str]) -> int:
    """Run the program; see the module."""
    parser = argparse.ArgumentParser(prog="keeper", description="end a command and all it started")
    parser.add_argument("--grace", type=float, default=0.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command given")
    _prctl(_SET_CHILD_SUBREAPER, 1)
    return _Keeper(options.grace).run(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
