"""The cgroups of a sliver as its init uses them: what it starts goes into the group of its application.

The directory was inherited as a descriptor, for the sliver sees no cgroup file system. Without one there
are no groups, and everything here does nothing. In a container the engine has made one group for all, which
is seen read only: what the kernel kills there is told of the application, for there is one.
"""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OTHER = "other"
# No file of the kernel in that directory begins so, whatever an application is called.
PREFIX = "app-"
MOST = 256
_PROCS = "cgroup.procs"
_BYTES = 1 << 16
# Version → the file that counts the processes which the kernel killed, and the file of the limit.
_COUNTS = {1: "memory.oom_control", 2: "memory.events"}
_LIMITS = {1: "memory.limit_in_bytes", 2: "memory.max"}
# What version 1 says where there is no limit is about this much.
_UNLIMITED = 1 << 60
# Where a container sees its own group of memory, by version.
_CONTAINER = ((1, "/sys/fs/cgroup/memory"), (2, "/sys/fs/cgroup"))


class Groups:
    """The groups of one sliver.

    Args:
        config: ``gates``: descriptors by which a process leaves the init's own group; ``apps``: that of
            the directory of the applications' groups, or -1; ``version``: of cgroups there;
            ``container``: whether the engine of a container has made the only group.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._gates = [int(one) for one in config.get("gates", ())]
        self._apps = int(config.get("apps", -1))
        self._version = int(config.get("version", 2))
        self._before: dict[str, int] = {}
        # Whose files are read, and what comes before their names for one application.
        self._counted, self._shared = self._apps, False
        if self._apps < 0 and config.get("container"):
            self._counted, self._version = _container()
            self._shared = True
        for descriptor in (*self._gates, self._apps):
            if descriptor >= 0:
                # What is started here inherits none of them: who holds a gate may leave by it.
                os.set_inheritable(descriptor, False)

    def prepare(self, application: str) -> str:
        """Have the group of an application; its name, ``other`` if it gets none of its own."""
        if self._apps < 0 or not application:
            return OTHER
        group = PREFIX + application
        try:
            os.mkdir(group, 0o755, dir_fd=self._apps)
        except FileExistsError:
            return group
        except OSError:
            return OTHER
        if self._version == 2:
            # It is killed as a whole: half an application helps nobody.
            with contextlib.suppress(OSError):
                self._write(f"{group}/memory.oom.group", b"1")
        return group

    def enter(self, group: str) -> None:
        """In a child, before it becomes the program: leave the init's group for this one.

        Raises:
            OSError: it cannot; the program must not run then.
        """
        for gate in self._gates:
            os.write(gate, b"0")
        if self._apps >= 0 and group != OTHER:
            self._write(f"{group}/{_PROCS}", b"0")

    def begun(self, application: str) -> None:
        """An application is started anew: what the kernel killed of it before counts no more."""
        if self._counted >= 0 and application:
            if len(self._before) >= MOST:
                self._before.clear()
            self._before[application] = self._killed(application)

    def killed(self, application: str) -> int:
        """How many processes of an application the kernel killed for memory since it was started."""
        if self._counted < 0 or not application:
            return 0
        return max(self._killed(application) - self._before.get(application, 0), 0)

    def memory_limit(self) -> int:
        """Bytes that the applications may use; 0 when there is no limit."""
        text = self._read(_LIMITS[self._version]).strip() if self._counted >= 0 else b""
        limit = int(text) if text.isdigit() else 0
        return limit if limit < _UNLIMITED else 0

    def processes(self) -> dict[int, str]:
        """Map pid → application of what is in the applications' groups."""
        found: dict[int, str] = {}
        if self._apps < 0:
            return found
        with contextlib.suppress(OSError):
            for name in os.listdir(self._apps):
                if name.startswith(PREFIX):
                    words = self._read(f"{name}/{_PROCS}").split()
                    found.update((int(word), name[len(PREFIX) :]) for word in words if word != b"0")
        return found

    def _killed(self, application: str) -> int:
        group = "" if self._shared else f"{PREFIX}{application}/"
        for line in self._read(f"{group}{_COUNTS[self._version]}").splitlines():
            name, _, number = line.partition(b" ")
            if name == b"oom_kill" and number.isdigit():
                return int(number)
        return 0

    def _read(self, name: str) -> bytes:
        pieces = []
        with contextlib.suppress(OSError):
            descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._counted)
            try:
                while piece := os.read(descriptor, _BYTES):
                    pieces.append(piece)
            finally:
                os.close(descriptor)
        return b"".join(pieces)

    def _write(self, name: str, text: bytes) -> None:
        descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._apps)
        try:
            os.write(descriptor, text)
        finally:
            os.close(descriptor)


def _container() -> tuple[int, int]:
    """A descriptor of the container's own group of memory, or -1, and the version of cgroups there."""
    for version, path in _CONTAINER:
        with contextlib.suppress(OSError):
            os.stat(f"{path}/{_COUNTS[version]}")
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), version
    return -1, 2
