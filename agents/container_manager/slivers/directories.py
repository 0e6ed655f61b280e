"""Making the directories of a sliver, and keeping what it lays in them from leading anybody astray.

The sliver owns most of what is below ``root``. While no process of it lives (before a boot), whatever is
about to be written or mounted over is made a real file or directory again, so that a link laid there
leads nowhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from agents.container_manager.slivers.place import PRIVATE, Place

Owner = tuple[int, int] | None

_VAR: Final = ("cache", "lib", "lib/rpm", "log", "spool", "tmp")
_STICKY: Final = 0o1777


def make(place: Place, owner: Owner) -> None:
    """Make the whole tree of ``place``; what is there already stays."""
    _directory(place.directory.parent, 0o711)
    _directory(place.directory, 0o700)
    _directory(place.root, 0o755)
    _directory(place.packages, 0o755)
    _directory(place.run, 0o755, owner)
    for name in PRIVATE:
        _directory(place.root / name, _STICKY if name == "tmp" else 0o755, None if name == "tmp" else owner)
    for name in _VAR:
        _directory(place.root / "var" / name, _STICKY if name == "tmp" else 0o755, owner)
    for name in ("bin", "lib", "share"):
        _directory(place.root / "usr-local" / name, 0o755, owner)
    if owner is not None:
        _give(place.root, owner)


def put(path: Path, text: str, *, mode: int = 0o644, owner: Owner = None) -> None:
    """Write a small file, replacing whatever lies there without following it."""
    clear(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, *owner)


def mount_point(base: Path, relative: Path, *, directory: bool) -> None:
    """Have a real directory or file at ``base/relative``, each part of the way a real directory.

    Args:
        base: a directory whose parent is not the sliver's.
        relative: the way below it.
        directory: what is mounted is a directory.
    """
    way = base
    for part in relative.parts[:-1]:
        way /= part
        _real_directory(way)
    last = base / relative
    if directory:
        _real_directory(last)
    elif not last.is_file() or last.is_symlink():
        put(last, "")


def clear(path: Path) -> None:
    """Remove what lies at ``path``, be it a tree; nothing there is no error."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            # rmtree goes by descriptors and follows no link.
            shutil.rmtree(path)
        else:
            path.unlink()


def _give(root: Path, owner: tuple[int, int]) -> None:
    """Give what is in the private directories to the sliver, links themselves and not their targets."""
    for name in PRIVATE:
        for _, directories, files, descriptor in os.fwalk(root / name):
            for entry in (*directories, *files):
                os.chown(entry, *owner, dir_fd=descriptor, follow_symlinks=False)


def _real_directory(path: Path) -> None:
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            return
        clear(path)
    except FileNotFoundError:
        pass
    path.mkdir(mode=0o755)


def _directory(path: Path, mode: int, owner: Owner = None) -> None:
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
            os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, *owner)
    finally:
        os.close(descriptor)
