"""Where this process may make cgroups: read from what the kernel says of mounts and of the process. Pure.

Version 2 has one tree for all controllers, version 1 one for each; a machine may have both, with each
controller in one of them. A process may make groups below its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

MEMORY: Final = "memory"
CPU: Final = "cpu"
PIDS: Final = "pids"
CPUACCT: Final = "cpuacct"
CONTROLLERS: Final = (MEMORY, CPU, PIDS, CPUACCT)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One tree of cgroups.

    Attributes:
        version: 1 or 2.
        controllers: of version 1 those of this tree; of version 2 empty, its files tell.
        own: the directory of this process in it.
    """

    version: int
    controllers: frozenset[str]
    own: PurePosixPath


def hierarchies(mountinfo: str, cgroup: str) -> list[Hierarchy]:
    """The trees that are mounted, from ``/proc/self/mountinfo`` and ``/proc/self/cgroup`` (proc(5))."""
    mine = _own_paths(cgroup)
    found: dict[frozenset[str], Hierarchy] = {}
    for root, point, kind, options in _mounts(mountinfo):
        if kind == "cgroup2":
            version, controllers = 2, frozenset[str]()
        else:
            version, controllers = 1, frozenset(CONTROLLERS) & options
            if not controllers:
                continue
        path = mine.get(controllers)
        if path is None or controllers in found:
            continue
        below = _below(path, root)
        if below is not None:
            found[controllers] = Hierarchy(version, controllers, point / below)
    return list(found.values())


def _own_paths(cgroup: str) -> Mapping[frozenset[str], PurePosixPath]:
    paths = {}
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number and path.startswith("/"):
            # Of version 2 the names are empty, and so is what we look for.
            key = frozenset(CONTROLLERS) & frozenset(names.split(","))
            if key or not names:
                paths[key] = PurePosixPath(path)
    return paths


def _mounts(mountinfo: str) -> Iterable[tuple[PurePosixPath, PurePosixPath, str, frozenset[str]]]:
    """Root, mount point, type and options of each mounted tree of cgroups."""
    for line in mountinfo.splitlines():
        first, separator, last = line.partition(" - ")
        words, ends = first.split(" "), last.split(" ")
        if not separator or len(words) < 5 or len(ends) < 3 or ends[0] not in {"cgroup", "cgroup2"}:
            continue
        root, point = (PurePosixPath(_unescaped(word)) for word in words[3:5])
        yield root, point, ends[0], frozenset(ends[2].split(","))


def _below(path: PurePosixPath, root: PurePosixPath) -> PurePosixPath | None:
    """The way from the root of a mount to ``path``; None when the mount does not show it."""
    # In a name space of cgroups what lies above it is told as a way upwards, and not shown.
    if ".." in (*path.parts, *root.parts) or not path.is_relative_to(root):
        return None
    return path.relative_to(root)


def _unescaped(word: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), word)
