"""Slivers whose ``/`` is another tree than the node's: bubblewrap's walls around an overlay.

Below lies the tree, which many slivers share and none can change; above it the sliver's own layer, which
counts for its quota and goes with it. As root the files of the tree are root's and stay what they are;
``/opt``, ``/usr/local`` and ``/var`` are the sliver's, with what the tree has there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agents import state_file
from agents.container_manager.images.brought import Brought, bring
from agents.container_manager.images.brought_agent import BroughtAgent
from agents.container_manager.limits.groups import Groups
from agents.container_manager.roots.mounting import mounted, open_work
from agents.container_manager.slivers import directories, etc, programs
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.driver import GRACE_S
from agents.container_manager.slivers.mounts import PACKAGES, RUN, of_kernel, own
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Limits, Network

PYTHON: Final = "/.dsmt/python"
# Bound as ever; what else is private to a sliver is in the layer.
_BOUND: Final = ("app", "tmp", "home")
# Made real directories, whatever the tree has there: what is mounted must not be led astray by a link.
_OURS: Final = ("dev", "etc", "proc", "usr", *(path.strip("/") for path in (RUN, PACKAGES, PYTHON)))
_SLIVERS: Final = (
    *("opt", "usr/local", "usr/local/bin", "usr/local/lib", "usr/local/share"),
    *("var", "var/cache", "var/lib", "var/log", "var/spool"),
)
_STICKY: Final = ("var/tmp",)


class LayeredDriver(BroughtAgent, BubblewrapDriver):
    """Makes slivers over a tree that `keep` has named.

    Args:
        directory: the node's, for what is brought along.
        groups: where cgroups can be made; None: nowhere.
    """

    def __init__(self, directory: Path, groups: Groups | None = None) -> None:
        super().__init__(groups)
        self._directory = directory
        self._usual = BubblewrapDriver(groups)

    def lacks(self, network: Network) -> str:
        """See `SliverDriver.lacks`; slirp4netns is brought along."""
        return self._usual.lacks(network)

    def enforced(self, place: Place, limits: Limits) -> str:
        """See `SliverDriver.enforced`; the root file system is told as well."""
        return f"{super().enforced(place, limits)} root={limits.root_shown}".strip()

    def destroy(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.destroy`."""
        self.end(place, grace_s=grace_s)
        open_work(_layer(place))
        super().destroy(place, grace_s=grace_s)

    def _brought(self) -> Brought:
        return bring(self._directory, PYTHON)

    def _init_command(self, place: Place) -> list[str]:  # noqa: ARG002
        return self._brought().command("agents.sliver_init.main", site=False)

    def _prepare(self, place: Place) -> None:
        self._sweep(place)
        layer, owner = _layer(place), self.owner(place)
        for name in ("upper", "work", "merged"):
            directories.mount_point(place.root, Path("layer", name), directory=True)
        upper = layer / "upper"
        for name in (*_OURS, *_BOUND, *_SLIVERS, *_STICKY):
            directories.mount_point(upper, Path(name), directory=True)
        for name in (*_SLIVERS, *_STICKY):
            if owner is not None:
                os.chown(upper / name, *owner)
            (upper / name).chmod(0o1777 if name in _STICKY else 0o755)
        directories.mount_point(upper, Path(programs.INSIDE.strip("/")), directory=True)
        _write_etc(place, upper / "etc", owner or (os.geteuid(), os.getegid()))
        for name, command in self._brought().launchers().items():
            directories.put(place.programs / name, f"#!/bin/sh\n{command}\n", mode=0o755)

    def _before(self, place: Place) -> list[str]:
        return mounted(tree_of(place), _layer(place), root=self._root)

    def _outward_command(self) -> list[str]:
        return self._brought().outward()

    def _tree(self, place: Place, network: Network) -> list[str]:
        words = ["--bind", str(_layer(place) / "merged"), "/", *of_kernel(), *own(place, _BOUND)]
        for path, target in self._brought().binds():
            words += ["--ro-bind", str(path), target]
        return [*words, *self._outward(place, network)]

    def _dropping(self, place: Place) -> list[str]:
        words = super()._dropping(place)
        return [*self._brought().setpriv(), *words[1:]] if words else words


def keep(place: Place, root: str, tree: Path) -> None:
    """Have a sliver made over ``tree`` from its next boot on.

    Args:
        place: of the sliver.
        root: how the order names it.
        tree: a directory of the node.
    """
    state_file.save(place.root_file, {"root": root, "tree": str(tree)})


def root_of(place: Place) -> str:
    """How the order named the sliver's root file system; empty when it has the node's."""
    return str((state_file.load(place.root_file).value or {}).get("root") or "")


def tree_named(root_file: Path) -> Path | None:
    """The tree that a sliver's ``root.json`` names, whether it is there or not; None when it names none."""
    named = (state_file.load(root_file).value or {}).get("tree")
    return Path(str(named)) if named else None


def tree_of(place: Place) -> Path:
    """The tree of a sliver.

    Raises:
        Unavailable: it is not there.
    """
    tree = tree_named(place.root_file)
    if tree is None or not tree.is_dir():
        raise Unavailable(f"the root file system of the sliver {place.slice} is not there: {tree}")
    return tree


def forget(place: Place, owner: tuple[int, int] | None) -> None:
    """Empty a sliver: over another tree what was installed does not fit, and its layer means nothing."""
    open_work(_layer(place))
    for path in list(place.root.iterdir()):
        directories.clear(path)
    directories.make(place, owner)
    place.root_file.unlink(missing_ok=True)


def _layer(place: Place) -> Path:
    return place.root / "layer"


def _write_etc(place: Place, where: Path, user: tuple[int, int]) -> None:
    """What /etc needs besides what the tree has; it is nobody's to change in the sliver but root's."""
    uid, gid = user
    tree = tree_of(place)
    files = etc.files(place, user)
    mine = {"passwd": f"sliver:x:{uid}:{gid}:{place.slice}:/home:/bin/sh", "group": f"sliver:x:{gid}:"}
    for name in ("hostname", "hosts", "resolv.conf"):
        directories.put(where / name, files.get(name, ""))
    for name, line in mine.items():
        known = _own_lines(tree, name)
        text = "\n".join([*known, line]) + "\n" if known else files[name]
        directories.put(where / name, text)
    # It would be loaded into DSMT's own programs, too.
    directories.put(where / etc.PRELOAD, "")


def _own_lines(tree: Path, name: str) -> list[str]:
    """The lines of a small file of the tree's /etc, no link followed; none when there is none."""
    try:
        where = os.open(tree / "etc", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, dir_fd=where), "rb") as file:
                text = file.read(1 << 20).decode(errors="replace")
        finally:
            os.close(where)
    except OSError:
        return []
    return [line for line in text.splitlines() if line and not line.startswith("sliver:")]
