"""Having root file systems on the node: offered by its operator, or fetched from the depot; unpacked once.

A tar is unpacked beside its place and moved there when it is whole, under a name that says what it is of.
What no sliver is made over any more is removed when another one is needed, and when the manager begins.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import threading
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from agents.container_manager.roots import layered
from agents.container_manager.roots.layered import LayeredDriver
from agents.container_manager.roots.mounting import lacking
from agents.container_manager.roots.tree import unpack
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Invalid, Unavailable
from dsmt_core.events import legal_text
from dsmt_core.limits import DEPOT_ROOTS, ROOTS_FACT, ROOTS_LACKING_FACT, Limits

log = logging.getLogger(__name__)

_FACT: Final = 256
_NEW: Final = ".new"


class Fetches(Protocol):
    """The node's package cache."""

    def fetch(self, digest: str, size: int, *, into: Path) -> Awaitable[str]:
        """Have a package in a directory; its name there."""
        ...


class Roots:
    """The root file systems of one node.

    Args:
        directory: the node's, for trees and for what is brought along.
        slivers: the directory of its slivers.
        offered: what its operator offers: name → a directory, or a tar.
        usual: the node's usual driver; without bubblewrap there is no overlay.

    Attributes:
        driver: makes slivers over them; None where it cannot be.
    """

    def __init__(
        self, directory: Path, slivers: Path, offered: Mapping[str, Path], usual: SliverDriver
    ) -> None:
        self._trees = directory / "trees"
        self._slivers = slivers
        self._offered = offered
        self._usual = usual
        self._lock = threading.Lock()
        self._works = False
        self.driver: LayeredDriver | None = None
        if isinstance(usual, BubblewrapDriver):
            self.driver = LayeredDriver(directory / "python", usual.groups)

    def lacks(self) -> str:
        """Why no sliver can be made over a tree here; empty when one can, as once one could."""
        if self.driver is None:
            return f"slivers by {self._usual.name} have no root file system of their own"
        if not self._works:
            if why := lacking(self._trees):
                return why
            self._works = True
        return ""

    def facts(self) -> dict[str, str]:
        """Which there are, for a planner; blocks."""
        if why := self.lacks():
            return {ROOTS_FACT: "", ROOTS_LACKING_FACT: legal_text(why)[:_FACT]}
        there = [name for name, path in sorted(self._offered.items()) if path.exists()]
        return {ROOTS_FACT: " ".join([DEPOT_ROOTS, *there])[:_FACT]}

    async def settle(self, place: Place, limits: Limits, cache: Fetches) -> None:
        """Have the sliver made over the root file system of its limits from now on; nothing of it runs.

        Raises:
            Invalid, Unavailable, Full, OSError: it cannot be had, ever or now.
        """
        if place.image_file.exists():
            return
        if not limits.root:
            await asyncio.to_thread(self._leave, place)
            return
        if why := await asyncio.to_thread(self.lacks):
            raise Unavailable(f"the root file system {limits.root_shown} cannot be had here: {why}")
        archive: Path | None = None
        if (package := limits.root_package) is not None:
            digest, size = package
            if not (self._trees / digest).is_dir():
                into = self._trees / "tars"
                await asyncio.to_thread(into.mkdir, mode=0o700, parents=True, exist_ok=True)
                archive = into / await cache.fetch(digest, size, into=into)
        await asyncio.to_thread(self._settle, place, limits, archive)

    def clean(self) -> None:
        """Remove what no sliver is made over; blocks."""
        with self._lock:
            self._clean()

    def _leave(self, place: Place) -> None:
        if place.root_file.exists():
            layered.forget(place, self._usual.owner(place))

    def _settle(self, place: Place, limits: Limits, archive: Path | None) -> None:
        with self._lock:
            tree = self._tree(limits, archive)
            before = layered.root_of(place)
            if before == limits.root and layered.tree_named(place.root_file) == tree:
                return
            # Also when it had none: what was installed was installed for another system.
            layered.forget(place, self._usual.owner(place))
            layered.keep(place, limits.root, tree)
            self._clean()

    def _tree(self, limits: Limits, archive: Path | None) -> Path:
        if limits.root_package is not None:
            digest = limits.root_package[0]
            if archive is None:
                return self._trees / digest
            try:
                return self._unpacked(archive, digest)
            finally:
                archive.unlink(missing_ok=True)
        path = self._offered.get(limits.root)
        if path is None:
            raise Invalid(
                f"this node offers no root file system {limits.root}",
                hint=f"dsmt-node --rootfs {limits.root}=DIRECTORY, or =TAR",
            )
        if path.is_dir():
            return path.resolve()
        state = path.stat()
        told = f"{path} {state.st_size} {state.st_mtime_ns}"
        return self._unpacked(path, f"{limits.root}-{hashlib.sha256(told.encode()).hexdigest()[:16]}")

    def _unpacked(self, archive: Path, name: str) -> Path:
        tree = self._trees / name
        if not tree.is_dir():
            with _new(tree) as new:
                unpack(archive, new)
            log.info("the root file system %s is unpacked", name)
        return tree

    def _clean(self) -> None:
        used = {layered.tree_named(path) for path in self._slivers.glob("*/root.json")}
        for path in self._trees.glob("*") if self._trees.is_dir() else ():
            if path not in used and path.name != "tars":
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _new(tree: Path) -> Iterator[Path]:
    """A place beside ``tree``, moved there when all went well."""
    new = tree.with_name(tree.name + _NEW)
    shutil.rmtree(new, ignore_errors=True)
    tree.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield new
        new.rename(tree)
    finally:
        shutil.rmtree(new, ignore_errors=True)
