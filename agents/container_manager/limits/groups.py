"""The cgroups of slivers, below the container manager's own: made before a sliver's first instruction.

    dsmt-MARK/own           the sliver's first process and its agent, with a bound that is always the same
    dsmt-MARK/apps          all that its applications and installers do; the sliver's limits are here
    dsmt-MARK/apps/other    what belongs to no application by name
    dsmt-MARK/apps/NAME     an application: made by the sliver's init, so that its end by the kernel
                            tells whose it was

Everything here blocks shortly and may be repeated.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agents.container_manager.limits import values
from agents.container_manager.limits.hierarchies import (
    CPU,
    CPUACCT,
    MEMORY,
    PIDS,
)
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Limits

log = logging.getLogger(__name__)

OWN: Final = "own"
APPS: Final = "apps"
OTHER: Final = "other"
PROCS: Final = "cgroup.procs"
SUBTREE: Final = "cgroup.subtree_control"
PREFIX: Final = "dsmt-"
_REMOVE_S: Final = 2.0
_POLL_S: Final = 0.01
_ROUNDS: Final = 50
_LIMITED: Final = {MEMORY: "memory", CPU: "cpu", PIDS: "processes"}


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory of cgroups in which slivers get theirs.

    Attributes:
        version: 1 or 2.
        controllers: that work here.
        base: the directory.
    """

    version: int
    controllers: frozenset[str]
    base: Path


@dataclass(frozen=True, slots=True)
class Use:
    """What a sliver's applications use now; None where that is not known.

    Attributes:
        memory: bytes.
        cpu_s: seconds of cpu time since the sliver was made.
    """

    memory: int | None = None
    cpu_s: float | None = None


@dataclass(slots=True)
class Doors:
    """What an init inherits: descriptors by which what it starts goes into its group.

    Attributes:
        gates: of ``apps/other``'s list of processes in each tree, opened by who may.
        apps: the directory in which applications get a group each; -1 where there is none.
        version: of that tree.
    """

    gates: list[int] = field(default_factory=list)
    apps: int = -1
    version: int = 2

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All of them."""
        return (*self.gates, *([self.apps] if self.apps >= 0 else []))

    def close(self) -> None:
        """The init has its own copies."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Groups:
    """Makes, limits and removes the groups of slivers.

    Args:
        trees: where; none: nothing is limited by cgroups.
    """

    def __init__(self, trees: tuple[Tree, ...] = ()) -> None:
        self.trees = trees
        self._of = {one: tree for tree in trees for one in tree.controllers}

    @property
    def enforced(self) -> dict[str, str]:
        """Limit → by what it is kept: ``cgroup2`` or ``cgroup1``."""
        return {
            limit: f"cgroup{self._of[controller].version}"
            for controller, limit in _LIMITED.items()
            if controller in self._of
        }

    def make(self, mark: str, owner: tuple[int, int] | None) -> None:
        """Make the groups of the sliver that is marked so.

        Args:
            mark: unique on this machine.
            owner: uid and gid of its init, which makes the groups of applications; None: this process's.

        Raises:
            Unavailable: they cannot be made.
        """
        try:
            for tree in self.trees:
                self._make(tree, mark, owner)
            self._write_all(mark, OWN, values.OWN)
        except OSError as error:
            raise Unavailable(
                f"the cgroups of a sliver cannot be made: {error}",
                hint="give the service its own: Delegate=yes",
            ) from error

    def entry(self, mark: str) -> list[str]:
        """The files by which a process that writes 0 goes into the sliver's own group."""
        return [str(tree.base / f"{PREFIX}{mark}" / OWN / PROCS) for tree in self.trees]

    def doors(self, mark: str) -> Doors:
        """Open what an init needs; the caller closes it."""
        doors = Doors()
        try:
            for tree in self.trees:
                apps = tree.base / f"{PREFIX}{mark}" / APPS
                doors.gates.append(os.open(apps / OTHER / PROCS, os.O_WRONLY | os.O_CLOEXEC))
                if MEMORY in tree.controllers:
                    doors.apps = os.open(apps, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    doors.version = tree.version
        except OSError as error:
            doors.close()
            raise Unavailable(f"the cgroups of a sliver cannot be opened: {error}") from error
        return doors

    def limit(self, mark: str, limits: Limits) -> None:
        """Have the kernel keep ``limits``, also of what runs already.

        Raises:
            Unavailable: the kernel refuses; more is in use than is to be allowed, for instance.
        """
        try:
            self._write_all(mark, APPS, limits)
        except OSError as error:
            raise Unavailable(_refused(error, limits)) from error

    def has(self, mark: str) -> bool:
        """Whether the sliver has its groups, in every tree."""
        return all((tree.base / f"{PREFIX}{mark}" / APPS).is_dir() for tree in self.trees)

    def use(self, mark: str) -> Use:
        """What the sliver's applications use."""
        memory = cpu = None
        if (tree := self._of.get(MEMORY)) is not None:
            apps = tree.base / f"{PREFIX}{mark}" / APPS
            name = "memory.current" if tree.version == 2 else "memory.usage_in_bytes"
            memory = values.memory_use(tree.version, read(apps / name), read(apps / "memory.stat"))
        tree = self._of.get(CPUACCT)
        if CPU in self._of and self._of[CPU].version == 2:
            tree = self._of[CPU]
        if tree is not None:
            name = "cpu.stat" if tree.version == 2 else "cpuacct.usage"
            cpu = values.cpu_seconds(tree.version, read(tree.base / f"{PREFIX}{mark}" / APPS / name))
        return Use(memory, cpu)

    def kill(self, mark: str) -> int:
        """End every process in the sliver's groups, whatever it has done to hide; how many were met."""
        met: set[int] = set()
        for _ in range(_ROUNDS):
            living = {pid for tree in self.trees for pid in _pids(tree.base / f"{PREFIX}{mark}")}
            if not living - met:
                break
            for pid in living:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            met |= living
        return len(met)

    def remove(self, mark: str) -> None:
        """Remove the groups; what still has a process in it is left, and told in the log."""
        deadline = time.monotonic() + _REMOVE_S
        for tree in self.trees:
            for directory in _deepest_first(tree.base / f"{PREFIX}{mark}"):
                _remove(directory, deadline)

    def _make(self, tree: Tree, mark: str, owner: tuple[int, int] | None) -> None:
        sliver = tree.base / f"{PREFIX}{mark}"
        for directory in (sliver, sliver / OWN, sliver / APPS, sliver / APPS / OTHER):
            directory.mkdir(mode=0o755, exist_ok=True)
            if tree.version == 2 and directory in {sliver, sliver / APPS}:
                hand_down(directory, tree.controllers)
        if tree.version == 1 and MEMORY in tree.controllers:
            for directory in (sliver, sliver / APPS):
                _write(directory, values.Write("memory.use_hierarchy", "1", needed=False))
        if owner is not None and MEMORY in tree.controllers:
            # The init makes the groups of applications here, and moves what it starts into them.
            os.chown(sliver / APPS, *owner)
            os.chown(sliver / APPS / PROCS, *owner)

    def _write_all(self, mark: str, group: str, limits: Limits) -> None:
        for tree in self.trees:
            directory = tree.base / f"{PREFIX}{mark}" / group
            for controller in sorted(tree.controllers):
                for write in values.writes(tree.version, controller, limits):
                    _write(directory, write)


def hand_down(directory: Path, controllers: frozenset[str]) -> None:
    """Let the groups below a directory of version 2 have these controllers."""
    (directory / SUBTREE).write_text(" ".join(f"+{one}" for one in sorted(controllers)))


def _write(directory: Path, write: values.Write) -> None:
    if not write.needed and not (directory / write.file).exists():
        return
    try:
        descriptor = os.open(directory / write.file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, write.text.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OSError(error.errno, f"{write.file}: {error.strerror}") from error


def read(path: Path) -> str:
    """What a file of the kernel says; empty where it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _pids(directory: Path) -> Iterator[int]:
    for path in _deepest_first(directory):
        yield from (int(word) for word in read(path / PROCS).split() if word.isdecimal())


def _deepest_first(directory: Path) -> list[Path]:
    return [Path(path) for path, _, _ in os.walk(directory, topdown=False)]


def _remove(directory: Path, deadline: float) -> None:
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            # What has just ended may still be on its way out.
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                log.warning("the cgroup %s cannot be removed: %s", directory, error.strerror)
                return
            time.sleep(_POLL_S)
        else:
            return


def _refused(error: OSError, limits: Limits) -> str:
    if error.errno == errno.EBUSY:
        return f"the limits ({limits.words}) are not kept yet: more is in use; a restart helps"
    return f"the limits ({limits.words}) cannot be kept: {error.strerror or error}"


def told(limits: Limits, by: Mapping[str, str]) -> str:
    """``memory=cgroup2 disk=watched …``: what is kept of ``limits``, and by what; ``none`` if it is not."""
    return " ".join(f"{name}={by.get(name, 'none')}" for name in limits.numbers)
