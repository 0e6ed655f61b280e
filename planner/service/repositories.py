"""The depot of a slice as a repository for dnf and yum.

What describes the packages is made by the depot, when it is asked for and packages have changed since. Its
files have their digests in their names, and those of the descriptions before stay a while: whoever has read
an older ``repomd.xml`` finds what that names.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dsmt_core.errors import NotFound
from dsmt_core.names import Slice
from planner.requirements import Package
from planner.service.depot import DepotClient
from planner.service.packages import Packages

REPOMD: Final = "repomd.xml"
GENERATIONS: Final = 3
MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class _Made:
    """One description: of what it is, and its files by name."""

    of: str
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.files.values()))


class Repositories:
    """Describes the depots of slices.

    Args:
        packages: of the slices.
        depot: makes the descriptions.
    """

    def __init__(self, packages: Packages, depot: DepotClient) -> None:
        self._packages = packages
        self._depot = depot
        # Of each slice the last descriptions, the newest last; the slices by when they were asked for last.
        self._made: OrderedDict[Slice, tuple[_Made, ...]] = OrderedDict()
        self._making: dict[Slice, asyncio.Lock] = {}

    async def file(self, slice_: Slice, name: str) -> bytes:
        """A file of ``repodata``.

        Raises:
            NotFound: there is no such slice, or no such file of its last descriptions.
            Unavailable, DeadlinePassed: of the depot.
        """
        known = self._made.get(slice_, ())
        if name == REPOMD or not known:
            await self._described(slice_)
            known = self._made.get(slice_, ())
        for made in reversed(known):
            if name in made.files:
                return made.files[name]
        raise NotFound(f"the repository of {slice_} has no {name[:80]}", hint="dnf makecache reads it anew")

    async def _described(self, slice_: Slice) -> None:
        # Who asks while it is being made waits for it, and then finds nothing to do.
        async with self._making.setdefault(slice_, asyncio.Lock()):
            there = [one for one in await self._packages.listed(slice_) if one.kind == "rpm"]
            of = _key(there)
            known = self._made.get(slice_, ())
            if not (known and known[-1].of == of):
                told = await self._depot.described(there)
                made = _Made(of, await asyncio.to_thread(_files, told))
                known = (*known, made)[-GENERATIONS:]
            self._made[slice_] = known
            self._made.move_to_end(slice_)
            self._forget()

    @property
    def _size(self) -> int:
        return sum(one.size for generations in self._made.values() for one in generations)

    def _forget(self) -> None:
        while len(self._made) > 1 and self._size > MOST_BYTES:
            gone, _ = self._made.popitem(last=False)
            self._making.pop(gone, None)


def _key(packages: list[Package]) -> str:
    texts = sorted(f"{one.filename} {one.digest}" for one in packages)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _files(told: Mapping[str, Any]) -> dict[str, bytes]:
    return {str(name): base64.b64decode(text) for name, text in told["files"].items()}
