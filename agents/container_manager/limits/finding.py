"""Where this container manager can make cgroups: tried, not guessed."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from agents.container_manager.limits.groups import PREFIX, PROCS, Groups, Tree, hand_down, read
from agents.container_manager.limits.hierarchies import CPU, MEMORY, PIDS, hierarchies

log = logging.getLogger(__name__)

# Where the manager itself goes in version 2: a group with processes hands no controller down.
MANAGER: Final = "manager"


def found_groups() -> Groups:
    """The trees in which this process can make groups; it is moved aside where that is needed."""
    mountinfo = read(Path("/proc/self/mountinfo"))
    trees: list[Tree] = []
    taken: set[str] = set()
    known = hierarchies(mountinfo, read(Path("/proc/self/cgroup")))
    # Version 2 first: a controller is in one of the two.
    for one in sorted(known, key=lambda each: -each.version):
        tree = _second(Path(one.own)) if one.version == 2 else _first(Path(one.own), one.controllers)
        if tree is not None and tree.controllers - taken:
            trees.append(tree)
            taken |= tree.controllers
    return Groups(tuple(trees))


def _first(own: Path, controllers: frozenset[str]) -> Tree | None:
    return Tree(1, controllers, own) if _may_make(own) else None


def _second(own: Path) -> Tree | None:
    """The tree of version 2 with the controllers that can be handed down; None without any."""
    base = own.parent if own.name == MANAGER else own
    offered = frozenset({MEMORY, CPU, PIDS}) & frozenset(read(base / "cgroup.controllers").split())
    if not offered or not _may_make(base):
        return None
    try:
        if base == own and (base / "cgroup.type").exists():
            # Only the root of all may hand down while it has processes.
            (base / MANAGER).mkdir(exist_ok=True)
            (base / MANAGER / PROCS).write_text("0")
        hand_down(base, offered)
    except OSError as error:
        log.warning("cgroups cannot be used: %s: %s", base, error.strerror)
        return None
    return Tree(2, offered, base)


def _may_make(directory: Path) -> bool:
    attempt = directory / f"{PREFIX}try.{os.getpid()}"
    try:
        attempt.mkdir()
        attempt.rmdir()
    except OSError:
        return False
    return True
