"""The node's package cache: each package fetched once, verified, and hard-linked into the slivers.

A file is in the cache when it has its digest as its name; it gets that name only after size and SHA-256
were found right. What no sliver links is evicted, least recently used first, when room is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dsmt_core.errors import Denied, DsmtError, Full, Invalid, NotFound, Unavailable

READ_S: Final = 30.0
FETCH_S: Final = 1800.0
DOWNLOADS: Final = 4
# What a download leaves free on the disk.
SPARE_BYTES: Final = 64 << 20
# A sliver keeps links to its last packages; older ones are released.
LINKS: Final = 64
_CHUNK: Final = 1 << 18
_PART: Final = ".part-"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Depot:
    """Where packages come from: the depot's URL and the node's token for it."""

    url: str
    token: str


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
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        for part in directory.glob(f"{_PART}*"):
            part.unlink(missing_ok=True)

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
                await asyncio.to_thread(_fetch, self.depot, path, size)
        except (Unavailable, Denied):
            self._away()
            raise
        finally:
            self._promised -= size
        return path

    async def _make_room(self, path: Path, size: int) -> None:
        async with self._room:
            await asyncio.to_thread(_evict, self._directory, self._most - self._promised - size, path.name)
            self._promised += size


def _evict(directory: Path, most: int, wanted: str) -> None:
    """Remove what no sliver links until at most ``most`` bytes are left."""
    files = [(path, path.stat()) for path in directory.iterdir() if _DIGEST.match(path.name)]
    total = sum(stat.st_size for _, stat in files)
    for path, stat in sorted(files, key=lambda each: each[1].st_mtime):
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


def _fetch(depot: Depot, path: Path, size: int) -> None:
    """Download, verify, and only then give the file its name; blocks."""
    if shutil.disk_usage(path.parent).free < size + SPARE_BYTES:
        raise Full(f"the disk of the node has no room for {size} bytes more")
    part = path.with_name(f"{_PART}{path.name[:16]}-{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            _stream(depot, path.name, size, file.fileno())
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stream(depot: Depot, digest: str, size: int, file: int) -> None:
    parts = urlsplit(depot.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unavailable("this node knows no depot", hint="it learns one when it joins")
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=READ_S)
    try:
        headers = {"Authorization": f"Bearer {depot.token}", "Connection": "close"}
        connection.request("GET", f"{parts.path.rstrip('/')}/v1/blobs/{digest}", headers=headers)
        with connection.getresponse() as response:
            _check_status(response, digest)
            _copy(response, digest, size, file)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the depot at {parts.netloc} does not answer: {error}") from error
    finally:
        connection.close()


def _check_status(response: http.client.HTTPResponse, digest: str) -> None:
    status = response.status
    if status == http.client.OK:
        return
    if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
        raise Denied(f"the depot refuses this node ({status})", hint="the node may have to join again")
    if status == http.client.NOT_FOUND:
        raise NotFound(f"the depot has no package {digest[:12]}…")
    raise Unavailable(f"the depot answered {status}")


def _copy(response: http.client.HTTPResponse, digest: str, size: int, file: int) -> None:
    seen, received, deadline = hashlib.sha256(), 0, time.monotonic() + FETCH_S
    while chunk := response.read(_CHUNK):
        received += len(chunk)
        if received > size:
            break
        seen.update(chunk)
        os.write(file, chunk)
        if time.monotonic() > deadline:
            raise Unavailable(f"the depot took longer than {FETCH_S:.0f} s for {digest[:12]}…")
    if received < size:
        raise Unavailable(f"the depot sent {received} of {size} bytes of {digest[:12]}…")
    if received > size or seen.hexdigest() != digest:
        raise Invalid(
            f"the package {digest[:12]}… is refused: what the depot sent is not what was ordered",
            hint="put the package into the depot again",
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
    for _, path in links[:-LINKS]:
        path.unlink(missing_ok=True)


def failure(error: DsmtError) -> Mapping[str, str]:
    """An error as an answer on node.sock."""
    return {"error": error.message, "hint": error.hint, "code": error.code}
