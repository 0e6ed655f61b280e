"""Bounds that a program has from its start: the kernel keeps them for each process by itself.

They are set in the child before it becomes the program, and can only be lowered from there.
"""

from __future__ import annotations

import contextlib
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS = {
    "files": resource.RLIMIT_NOFILE,
    "memory": resource.RLIMIT_DATA,
    "processes": resource.RLIMIT_NPROC,
    "disk": resource.RLIMIT_FSIZE,
}


class Rlimits:
    """The bounds of what is started from now on.

    Args:
        config: names of `KINDS` with their numbers; what is not named is not bounded.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._numbers: dict[int, int] = {}
        self.change(config)

    def change(self, config: dict[str, Any]) -> None:
        """Bound what is started from now on so."""
        self._numbers = {
            KINDS[name]: int(number) for name, number in config.items() if name in KINDS and number
        }

    def set(self) -> None:
        """In a child: take these bounds."""
        for kind, number in self._numbers.items():
            _set(0, kind, number)

    def set_of(self, pid: int) -> None:
        """Have a process that runs already take them as far as the kernel lets this one."""
        for kind, number in self._numbers.items():
            with contextlib.suppress(OSError, ValueError):
                _set(pid, kind, number)


def _set(pid: int, kind: int, number: int) -> None:
    hard = resource.prlimit(pid, kind)[1]
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    resource.prlimit(pid, kind, (most, most))
