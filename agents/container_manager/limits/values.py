"""What is written into the files of a cgroup for a limit, and what is read out of them. Pure.

Each write is (file, text, needed): what is not needed is left out where the kernel has no such file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from agents.container_manager.limits.hierarchies import CPU, MEMORY, PIDS
from dsmt_core.limits import Limits

_PERIOD_US: Final = 100_000
_NONE: Final = {1: "-1", 2: "max"}
# What a sliver's first process and its agent may use beside what the applications may.
OWN: Final = Limits(memory=512 << 20, processes=512)


class Write(NamedTuple):
    """One file of a group and what it is to hold."""

    file: str
    text: str
    needed: bool = True


def writes(version: int, controller: str, limits: Limits) -> list[Write]:
    """What to write for the limits that ``controller`` is for; a limit that is none is taken away."""
    none = _NONE[version]
    if controller == MEMORY:
        return _memory(version, str(limits.memory) if limits.memory else none)
    if controller == PIDS:
        return [Write("pids.max", str(limits.processes) if limits.processes else "max")]
    if controller == CPU:
        quota = str(round(limits.cpu * _PERIOD_US)) if limits.cpu else none
        if version == 2:
            return [Write("cpu.max", f"{quota} {_PERIOD_US}")]
        return [Write("cpu.cfs_period_us", str(_PERIOD_US)), Write("cpu.cfs_quota_us", quota)]
    return []


def _memory(version: int, most: str) -> list[Write]:
    none = _NONE[version]
    if version == 2:
        # Without a bound of its own it would go on in the swap, and slow the whole machine.
        swap = none if most == none else "0"
        return [Write("memory.swap.max", swap, needed=False), Write("memory.max", most)]
    # The bound of memory and swap together may never be below that of memory.
    with_swap = Write("memory.memsw.limit_in_bytes", none, needed=False)
    return [with_swap, Write("memory.limit_in_bytes", most), with_swap._replace(text=most)]


def memory_use(version: int, usage: str, stat: str) -> int | None:
    """Bytes that are used, without what the kernel may drop at once; None when that is not known."""
    held = _number(usage)
    if held is None:
        return None
    name = "inactive_file" if version == 2 else "total_inactive_file"
    return max(held - int(fields(stat).get(name, 0)), 0)


def cpu_seconds(version: int, text: str) -> float | None:
    """Seconds of cpu time: of ``cpu.stat`` (version 2) or ``cpuacct.usage`` (version 1)."""
    if version == 2:
        used = fields(text).get("usage_usec")
        return None if used is None else used / 1e6
    spent = _number(text)
    return None if spent is None else spent / 1e9


def fields(text: str) -> Mapping[str, int]:
    """Lines of a name and a number, as in ``memory.stat``."""
    found = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        value = _number(number)
        if value is not None:
            found[name] = value
    return found


def _number(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() else None
