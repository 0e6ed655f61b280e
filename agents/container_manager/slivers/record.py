"""By what a running init is found again: pid, start time and boot id; a reused pid is not mistaken.

``kill(pid, 0)`` and ``/proc/PID`` lie while a zombie waits to be reaped; a pidfd does not.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents import state_file


@dataclass(frozen=True, slots=True)
class InitRecord:
    """One process of this machine.

    Attributes:
        pid: in the host's pid name space.
        start_time: field 22 of /proc/PID/stat, clock ticks since boot.
        boot_id: of the machine's present life.
    """

    pid: int
    start_time: int
    boot_id: str


def machine_boot_id() -> str:
    """A new one each time that the machine starts."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def record_of(pid: int) -> InitRecord | None:
    """The record of a living process; None when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        fields = text[text.rindex(")") + 2 :].split()
    except (OSError, ValueError):
        return None
    if fields[0] in "ZX":
        return None
    return InitRecord(pid, int(fields[19]), machine_boot_id())


def load(path: Path) -> InitRecord | None:
    """The record in ``path``; None when there is none to trust."""
    value = state_file.load(path).value or {}
    try:
        return InitRecord(int(value["pid"]), int(value["start_time"]), str(value["boot_id"]))
    except (KeyError, TypeError, ValueError):
        return None


def save(path: Path, record: InitRecord) -> None:
    """Keep ``record`` in ``path``."""
    values: dict[str, Any] = asdict(record)
    state_file.save(path, values)


def hold(record: InitRecord | None) -> int | None:
    """A pidfd of the very process that ``record`` names; None when it has ended. The caller closes it."""
    if record is None:
        return None
    try:
        pidfd = os.pidfd_open(record.pid)
    except OSError:
        return None
    # Looked at after opening: from here on the descriptor stands for this process and no other.
    if record_of(record.pid) == record:
        return pidfd
    os.close(pidfd)
    return None


def lives(record: InitRecord | None) -> bool:
    """Whether the process that ``record`` names is still there."""
    pidfd = hold(record)
    if pidfd is None:
        return False
    os.close(pidfd)
    return True


def has_ended(pidfd: int, *, within_s: float) -> bool:
    """Wait for the end of the process behind ``pidfd``, at most ``within_s``."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def kill(pidfd: int) -> None:
    """SIGKILL; a process that is gone is no error."""
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return
