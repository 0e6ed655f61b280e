"""What processes of this machine cost, read from /proc: memory of their own, and time of the processor."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

MIB: Final = 1 << 20
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Resident memory, what is shared with others included."""
    return float(psutil.Process(pid).memory_info().rss / MIB)


def uss_mb(pid: int) -> float:
    """Memory that would be free if this one process ended."""
    return float(psutil.Process(pid).memory_full_info().uss / MIB)


def below(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def in_pid_namespace_of(pid: int) -> list[int]:
    """The other processes of the pid name space in which ``pid`` is the first."""
    wanted = Path(f"/proc/{pid}/ns/pid").readlink()
    found = []
    for other in psutil.pids():
        try:
            if other != pid and Path(f"/proc/{other}/ns/pid").readlink() == wanted:
                found.append(other)
        except OSError:
            continue
    return found


def processor_s(pids: Iterable[int]) -> float:
    """Seconds of the processor that they, and what they have reaped, took; who has ended counts 0."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS
