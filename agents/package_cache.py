"""The node's package cache: each package fetched once, verified, and hard-linked into the slivers.

A file is in the cache when it has its digest as its name; it gets that name only after size and SHA-256
were found right. What a broken download left is gone on with for a day. When room is needed, that goes
first, then what no sliver links, least recently used first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from agents.package_download import Depot, Downloads
from dsmt_core.errors import Denied, DsmtError, Full, Invalid, Unavailable

DOWNLOADS: Final = 4
# What a download leaves free on the disk.
SPARE_BYTES: Final = 64 << 20
# A sliver keeps links to its last packages; older ones are released, once no order can need them any more.
LINKS: Final = 64
LINK_S: Final = 3600.0
# How long a torn download waits to be gone on with.
PART_S: Final = 86_400.0
_PART: Final = ".part-"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


class PackageCache:
    """Packages by digest in one directory.

    Args:
        directory: where; made if it is missing.
        most_bytes: bound of all files together.
        depot: where they come from; may be replaced.
        away: called when the depot does not answer, or does not know this node.
    """

    def __init__(
        self,
        directory: Path,
        *,
        most_bytes: int,
        depot: Depot,
        away: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._most = most_bytes
        self.depot = depot
        self._away = away
        self._under_way: dict[str, asyncio.Task[Path]] = {}
        self._room = asyncio.Lock()
        self._slots = asyncio.Semaphore(DOWNLOADS)
        self._promised = 0
        self._downloads = Downloads()
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        _sweep(directory)

    async def fetch(self, digest: str, size: int, *, into: Path) -> str:
        """Have the package in the directory ``into``; its name there.

        Several callers who want the same package share one download.

        Args:
            digest: SHA-256, hex.
            size: its bytes, as ordered.
            into: on the same file system as the cache.

        Raises:
            Invalid: the digest is none, or what the depot sent is not what was ordered.
            NotFound, Denied, Unavailable: the depot has it not, refuses, or is away.
            Full: there is no room.
        """
        if not _DIGEST.match(digest) or size < 0:
            raise Invalid(f"{digest[:80]!r} is not the digest of a package")
        cached = await self._cached(digest, size)
        await asyncio.to_thread(_link, cached, into)
        return cached.name

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _cached(self, digest: str, size: int) -> Path:
        path = self._directory / digest
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == size:
                os.utime(path)
                return path
        task = self._under_way.get(digest)
        if task is None:
            task = asyncio.create_task(self._download(path, size), name=f"fetch {digest[:12]}")
            self._under_way[digest] = task
            task.add_done_callback(lambda done: self._ended(digest, done))
        # A caller that gives up does not take the download from the others.
        return await asyncio.shield(task)

    def _ended(self, digest: str, task: asyncio.Task[Path]) -> None:
        self._under_way.pop(digest, None)
        if not task.cancelled():
            task.exception()

    async def _download(self, path: Path, size: int) -> Path:
        await self._make_room(path, size)
        try:
            async with self._slots:
                part = path.with_name(f"{_PART}{path.name}")
                await asyncio.to_thread(_check_disk, part, size)
                await self._downloads.bring(self.depot, part, path.name, size)
        except (Unavailable, Denied):
            self._away()
            raise
        finally:
            self._promised -= size
        return path

    async def _make_room(self, path: Path, size: int) -> None:
        async with self._room:
            most, busy = self._most - self._promised - size, frozenset(self._under_way)
            await asyncio.to_thread(_evict, self._directory, most, path.name, busy)
            self._promised += size


def _sweep(directory: Path) -> None:
    """Remove what earlier lives left and nobody will go on with."""
    now = time.time()
    for part in directory.glob(f"{_PART}*"):
        fresh = abs(now - part.lstat().st_mtime) < PART_S
        if not (fresh and _DIGEST.match(part.name.removeprefix(_PART))):
            part.unlink(missing_ok=True)


def _check_disk(part: Path, size: int) -> None:
    had = part.stat().st_size if part.exists() else 0
    if shutil.disk_usage(part.parent).free < size - had + SPARE_BYTES:
        raise Full(f"the disk of the node has no room for {size} bytes more")


def _evict(directory: Path, most: int, wanted: str, busy: AbstractSet[str] = frozenset()) -> None:
    """Remove torn downloads, and what no sliver links, until at most ``most`` bytes are left.

    Args:
        directory: the cache.
        most: without what is ``wanted`` or ``busy``, whose room is promised already.
        wanted: the digest that needs the room.
        busy: digests that are being fetched.
    """
    files = [
        (path, path.stat(), path.name.startswith(_PART))
        for path in directory.iterdir()
        if _DIGEST.match(digest := path.name.removeprefix(_PART)) and digest not in {wanted, *busy}
    ]
    total = sum(stat.st_size for _, stat, _ in files)
    for path, stat, _ in sorted(files, key=lambda each: (not each[2], each[1].st_mtime)):
        if total <= most:
            break
        if stat.st_nlink == 1:
            path.unlink()
            total -= stat.st_size
    if total > max(most, 0) or most < 0:
        raise Full(
            f"the node's package cache has no room for {wanted[:12]}…",
            hint="raise --cache-bytes, or delete slivers that nobody needs",
        )


def _link(cached: Path, into: Path) -> None:
    link = into / cached.name
    try:
        os.link(cached, link)
    except FileExistsError:
        if not link.samefile(cached):
            link.unlink()
            os.link(cached, link)
    except FileNotFoundError as error:
        raise Unavailable(f"the package {cached.name[:12]}… was just evicted; try again") from error
    os.utime(link)
    _release_old(into)


def _release_old(into: Path) -> None:
    links = sorted((path.lstat().st_mtime, path) for path in into.iterdir() if _DIGEST.match(path.name))
    now = time.time()
    for used, path in links[:-LINKS]:
        if now - used > LINK_S:
            path.unlink(missing_ok=True)


def failure(error: DsmtError) -> Mapping[str, str]:
    """An error as an answer on node.sock."""
    return {"error": error.message, "hint": error.hint, "code": error.code}
