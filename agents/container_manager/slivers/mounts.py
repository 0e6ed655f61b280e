"""What a sliver of bubblewrap sees of files, as words of its command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from agents.container_manager.slivers import etc, programs
from agents.container_manager.slivers.place import PRIVATE, Place
from agents.container_manager.slivers.visible import python_paths

RUN: Final = "/run/dsmt"
PACKAGES: Final = "/packages"
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - the sliver's own
_SHARED_MEMORY_BYTES: Final = 64 << 20
_RUN_BYTES: Final = 16 << 20


def system() -> list[str]:
    """The host's programs and libraries, read-only, and the kernel's file systems."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    return [*words, *of_kernel()]


def of_kernel() -> list[str]:
    """The kernel's file systems, and those in memory."""
    words = ["--proc", "/proc", "--dev", "/dev"]
    words += ["--perms", "1777", "--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", _SHARED_MEMORY]
    return [*words, "--perms", "1777", "--size", str(_RUN_BYTES), "--tmpfs", "/run"]


def own_and_etc(place: Place) -> list[str]:
    """What is the sliver's, and what of /etc is not."""
    words = own(place, PRIVATE)
    for path in etc.bound():
        words += ["--ro-bind", str(path), str(path)]
    return [*words, "--ro-bind", str(place.nothing), f"/etc/{etc.PRELOAD}"]


def own(place: Place, names: Iterable[str]) -> list[str]:
    """Directories of the sliver's, by the names of `PRIVATE`, and those of the node for it."""
    words = []
    for name in names:
        words += ["--bind", str(place.root / name), PRIVATE[name]]
    words += ["--bind", str(place.run), RUN, "--ro-bind", str(place.programs), programs.INSIDE]
    return [*words, "--ro-bind", str(place.packages), PACKAGES]


def python() -> list[str]:
    """DSMT's own Python; the directories on the way are made, readable, where the host's may not be."""
    words: list[str] = []
    made: set[Path] = set()
    for path in python_paths():
        if path.is_relative_to("/usr") and private(path) is None:
            continue
        if private(path) is None:
            for parent in [
                each for each in reversed(path.parents) if each != Path("/") and each not in made
            ]:
                words += ["--perms", "0755", "--dir", str(parent)]
                made.add(parent)
        words += ["--ro-bind", str(path), str(path)]
    return words


def private(path: Path) -> tuple[str, Path] | None:
    """The private directory that ``path`` lies in, as a name of `PRIVATE`, and the way below it."""
    for name, target in PRIVATE.items():
        if path.is_relative_to(target) and path != Path(target):
            return name, path.relative_to(target)
    return None
