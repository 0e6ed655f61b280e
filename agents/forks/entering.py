"""Entering a sliver for good: its cgroups, its name spaces, its user, no right besides.

All is given up before a process is there that the sliver can see: what enters stays, itself, in the name
space of processes that it came from, and only its children are born in the sliver's. So there is no moment
at which an application could look into one that has more than it should.

Python 3.11 has no ``setns``; the calls of the system that are missing go by ctypes.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied

# Of clone and setns, by the kernel's linux/sched.h.
_NEW: Final = {
    "mnt": 0x0002_0000,
    "cgroup": 0x0200_0000,
    "uts": 0x0400_0000,
    "ipc": 0x0800_0000,
    "pid": 0x2000_0000,
    "net": 0x4000_0000,
    "user": 0x1000_0000,
}
# Of prctl, by linux/prctl.h.
_GET_DUMPABLE: Final = 3
_SET_DUMPABLE: Final = 4
_SET_NAME: Final = 15
_CAPBSET_DROP: Final = 24
_SET_NO_NEW_PRIVS: Final = 38
_CAP_AMBIENT: Final = 47
_CAP_AMBIENT_CLEAR_ALL: Final = 4
# capset(2), version 3: two words of effective, permitted and inheritable each.
_CAPABILITY_VERSION: Final = 0x2008_0522
_NOTHING: Final = bytes(24)


class Kernel:
    """The calls, bound once, before any fork: nothing of it is looked up in a sliver's files."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._capabilities = int(Path("/proc/sys/kernel/cap_last_cap").read_text())

    def hide(self) -> None:
        """Have no other process of its user look into this one and what it forks.

        Raises:
            Denied: the kernel does not keep to it.
        """
        self._prctl(_SET_DUMPABLE, 0)
        if self._libc.prctl(_GET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise Denied("this process cannot be hidden from others of its user")

    def call_oneself(self, name: str) -> None:
        """As ``ps`` shows it."""
        self._call("prctl", _SET_NAME, name.encode(), 0, 0, 0)

    def enter(self, init: int, gates: Sequence[int], owner: tuple[int, int] | None) -> None:
        """Have the next child be born in a sliver, with nothing that the sliver does not have.

        Args:
            init: pidfd of its first process.
            gates: files of cgroups by which that process's groups are entered.
            owner: uid and gid of the sliver; None when it has those of this process.

        Raises:
            OSError: it may not be entered.
            Denied: a right is left; nothing may be begun then.
        """
        if owner is None and os.geteuid() == 0:
            raise Denied("an agent is never root")
        self.hide()
        for gate in gates:
            os.write(gate, b"0")
        self._call("setns", init, _others(init))
        self._drop(owner)
        # A change of user or of rights may have undone it.
        self.hide()

    def _drop(self, owner: tuple[int, int] | None) -> None:
        for number in range(self._capabilities + 1):
            self._prctl(_CAPBSET_DROP, number)
        self._prctl(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)
        if owner is not None:
            uid, gid = owner
            if uid <= 0 or gid <= 0:
                raise Denied("an agent is never root")
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            if (os.getresuid(), os.getresgid(), os.getgroups()) != ((uid,) * 3, (gid,) * 3, []):
                raise Denied("the user of the sliver could not be taken on")
        self._no_capability()
        self._prctl(_SET_NO_NEW_PRIVS, 1)

    def _no_capability(self) -> None:
        header = ctypes.create_string_buffer(_CAPABILITY_VERSION.to_bytes(4, sys.byteorder) + bytes(4), 8)
        self._call("capset", header, ctypes.create_string_buffer(_NOTHING, len(_NOTHING)))
        left = ctypes.create_string_buffer(len(_NOTHING))
        self._call("capget", header, left)
        if left.raw != _NOTHING:
            raise Denied("a capability could not be given up")

    def _prctl(self, option: int, value: int) -> None:
        self._call("prctl", option, value, 0, 0, 0)

    def _call(self, name: str, *words: object) -> None:
        if getattr(self._libc, name)(*words) == -1:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")


def _others(init: int) -> int:
    """The name spaces that a process, held by its pidfd, does not share with this one; as flags.

    An ordinary user may not enter the ones that all share, even though that would change nothing.
    """
    lines = Path(f"/proc/self/fdinfo/{init}").read_text().splitlines()
    pid = next(line.split()[1] for line in lines if line.startswith("Pid:"))
    return sum(
        flag
        for name, flag in _NEW.items()
        if Path(f"/proc/{pid}/ns/{name}").readlink() != Path(f"/proc/self/ns/{name}").readlink()
    )
