"""The overlay of one sliver, mounted where only the sliver sees it.

A name space of mounts is made first, the overlay in it, and bubblewrap's walls out of that. So nothing of
it is ever mounted on the node: it goes with the sliver's last process, whoever is killed, and a node that
starts again finds no mount of an earlier life. As an ordinary user the same happens in a user name space.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from dsmt_core.errors import Unavailable

_MOUNT: Final = (
    'options=$1; target=$2; shift 2; mount -t overlay overlay -o "$options" "$target" && exec "$@"'
)
_TRY_S: Final = 20.0
# What means something in the options of an overlay.
_SPECIAL: Final = frozenset(",:\\\n")


def mounted(tree: Path, layer: Path, *, root: bool) -> list[str]:
    """The words before a command that is to see ``tree`` with ``layer`` over it, at ``layer/merged``.

    Args:
        tree: read only.
        layer: the sliver's, with ``upper``, ``work`` and ``merged`` in it, on one file system.
        root: whether this is root; an ordinary user needs a user name space for it.

    Raises:
        Unavailable: a path cannot be named to the kernel.
    """
    for path in (tree, layer):
        if _SPECIAL & set(str(path)):
            raise Unavailable(
                f"{path} cannot be part of an overlay: it has a comma, a colon or a backslash"
            )
    options = f"nosuid,nodev,lowerdir={tree},upperdir={layer / 'upper'},workdir={layer / 'work'}"
    alone = ["unshare", "--mount", "--propagation", "private"]
    if not root:
        alone, options = [*alone, "--user", "--map-root-user"], f"{options},userxattr"
    return [*alone, "--", "/bin/sh", "-c", _MOUNT, "sh", options, str(layer / "merged")]


def lacking(directory: Path) -> str:
    """Why no overlay can be mounted here, tried for real; empty when one can.

    Args:
        directory: of the file system where layers are to lie.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="try-", dir=directory) as scratch:
            layer, tree = Path(scratch).resolve(), Path(scratch).resolve() / "tree"
            for name in ("tree", "upper", "work", "merged"):
                (layer / name).mkdir()
            (tree / "seen").touch()
            merged = layer / "merged"
            check = ["/bin/sh", "-c", 'test -e "$1/seen" && touch "$1/written"', "sh", str(merged)]
            why = _tried([*mounted(tree, layer, root=os.geteuid() == 0), *check])
            open_work(layer)
            return why
    except (OSError, Unavailable) as error:
        return str(error)


def open_work(layer: Path) -> None:
    """Let an ordinary user remove what the kernel has left of an overlay in ``work``."""
    inner = layer / "work" / "work"
    if inner.is_dir() and not inner.is_symlink() and os.geteuid() != 0:
        inner.chmod(0o700)


def _tried(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_TRY_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "mounting an overlay did not end in time"
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.strip().splitlines() if "dmesg" not in line]
    return f"overlay: {said[-1].strip() if said else 'it said nothing'}"
