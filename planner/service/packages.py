"""The depot of each slice: bytes go to the depot, names and what follows from them into the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from dsmt_core.errors import Denied, DsmtError
from dsmt_core.names import Slice
from dsmt_core.openssh import shown
from dsmt_core.packages import package_digest, package_filename
from dsmt_core.publishers import Publishers
from dsmt_core.signing import public_key
from planner.requirements import Package
from planner.room import Room
from planner.service.depot import DepotClient, Upload
from planner.service.means import Means
from planner.service.quotas import Quotas
from planner.store import package_uses, packages, pruning, publishers
from planner.store.applications import Effect
from planner.store.package_uses import Known

_log = structlog.get_logger(__name__)
_LACKS: Final = {
    "unsigned": "carries no signature of its own",
    "unknown": "is signed with another key of OpenPGP",
    "broken": "carries a signature that is not of it",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A package that was put, and what that did."""

    package: Package
    effect: Effect


class Packages:
    """What people do with the depot of a slice."""

    def __init__(self, means: Means, depot: DepotClient, quotas: Quotas) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock
        self._depot = depot
        self._quotas = quotas
        # Between a look whether bytes are referred to and their removal nobody begins to refer to them.
        self._settling = asyncio.Lock()
        # What is on its way here, how many times: it stays in the depot, though no slice refers to it yet.
        self._arriving: Counter[str] = Counter()

    async def put(self, slice_: Slice, filename: str, upload: Upload) -> Stored:
        """Store a package for a slice; its application is added when it is new.

        Args:
            slice_: for which it is kept.
            filename: under which the slice knows it.
            upload: its bytes, and what the sender announced of them.

        Raises:
            NotFound: there is no such slice.
            Invalid: the name is not legal, or the bytes are not a package or not what the digest says.
            Conflict: another content under this name is in use.
            Full: the slice, or the depot, has no room for it.
            Denied: an RPM lacks a signature of its own that the slice demands.
            Unavailable: of the depot.
        """
        self._ledger.slice(slice_)
        name = package_filename(filename)
        announced = await self._with_room(slice_, name, replace(upload, scope=slice_))
        came: Package | None = None
        try:
            async with self._held(upload.digest):
                came = replace(await self._depot.put(announced, name), put_at=self._clock())
                effect = await self._taken(slice_, came)
        except DsmtError:
            if came is not None:
                await self.sweep([came])
            raise
        # The same content again keeps the signatures that it had.
        return Stored(await self._database.read(packages.get, slice_, name), effect)

    async def _taken(self, slice_: Slice, package: Package) -> Effect:
        """Have the slice refer to what has come."""
        await self._check_rpm(slice_, package)
        async with self._settling:
            await self._depot.check(package.digest)
            return await self._ledger.change(slice_, self._recorded, slice_, package)

    @asynccontextmanager
    async def _held(self, digest: str) -> AsyncIterator[None]:
        """Keep bytes that are announced from removal: another slice may just let go of the same ones."""
        async with self._settling:
            self._arriving[digest] += 1
        try:
            yield
        finally:
            self._arriving[digest] -= 1
            self._arriving = +self._arriving

    async def _check_rpm(self, slice_: Slice, package: Package) -> None:
        """Look at an RPM's own signature, where the slice says whose it has to be."""
        keys = await self._database.read(publishers.rpm_keys, slice_) if package.kind == "rpm" else {}
        if not keys:
            return
        verdict = await self._depot.rpm_verdict(package.digest, keys.values())
        if verdict != "good":
            raise Denied(
                f"{package.filename} {_LACKS.get(verdict, verdict)}, and the slice {slice_} takes RPMs "
                f"with a signature of {' or '.join(sorted(keys))}",
                hint="rpmsign --addsign FILE signs it; dsmtc publishers tells whose keys count",
            )

    async def listed(self, slice_: Slice) -> list[Package]:
        """The packages of a slice, by file name.

        Raises:
            NotFound: there is no such slice.
        """
        self._ledger.slice(slice_)
        return await self._database.read(packages.listed, slice_)

    async def known(self, slice_: Slice, filename: str) -> Known:
        """One package, and what uses it.

        Raises:
            NotFound: no such slice or package.
        """
        self._ledger.slice(slice_)
        return await self._database.read(package_uses.known, slice_, filename)

    async def get(
        self, slice_: Slice, filename: str
    ) -> tuple[Package, AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        """A package and, once entered, its bytes.

        Raises:
            NotFound: no such slice or package.
        """
        self._ledger.slice(slice_)
        package = await self._database.read(packages.get, slice_, filename)
        return package, self._depot.get(package.digest)

    async def remove(self, slice_: Slice, filename: str) -> Package:
        """Remove a package that no application is wanted with.

        Raises:
            NotFound: no such slice or package.
            Conflict: it is in use; the applications are named.
        """
        self._ledger.slice(slice_)
        package: Package = await self._ledger.change(slice_, packages.remove, slice_, filename)
        await self.sweep([package])
        return package

    async def received(self, slice_: Slice, digest: str) -> int:
        """How many bytes came of an upload for the slice that broke off.

        Raises:
            NotFound: there is no such slice.
            Invalid: it is not a digest.
            Unavailable: the depot does not answer.
        """
        self._ledger.slice(slice_)
        return await self._depot.received(package_digest(digest), slice_)

    async def _with_room(self, slice_: Slice, name: str, upload: Upload) -> Upload:
        """The upload, refused by its announced size, or cut off where the room of the slice ends."""

        def looked(connection: Connection) -> tuple[Room, bool]:
            known = any(one.digest == upload.digest for one in packages.listed(connection, slice_))
            return self._quotas.room(connection, slice_, without=name), known

        room, known = await self._database.read(looked)
        if room.left is None or known:
            # The same content again takes nothing more.
            return upload
        room.check(upload.size or 0)
        return replace(upload, content=_within(upload.content, room, upload.begin))

    def _recorded(self, connection: Connection, slice_: Slice, package: Package) -> Effect:
        effect = packages.put(connection, slice_, package)
        before = self._quotas.room(connection, slice_, without=package.filename)
        after = self._quotas.room(connection, slice_)
        before.check(after.used - before.used)
        return effect

    async def sweep(self, gone: Iterable[Package]) -> None:
        """Give the depot its room back, where no slice refers to the bytes any more."""
        for digest in {one.digest for one in gone}:
            try:
                await self._let_go(digest)
            except DsmtError as error:
                # The bytes are only in the way; the package is gone from the slice all the same.
                _log.warning("bytes stay in the depot", digest=digest, reason=str(error))

    async def sweep_orphans(self, grace: float) -> int:
        """Delete what lies in the depot and belongs to no slice; how many.

        Args:
            grace: what came within so many seconds stays: it may still become a slice's.

        Raises:
            Unavailable: the depot does not answer.
        """
        there = await self._depot.listed()
        referred = await self._database.read(pruning.referred_to)
        orphans = [one.digest for one in there if one.age > grace and one.digest not in referred]
        for digest in orphans:
            await self._let_go(digest)
        return len(orphans)

    async def _let_go(self, digest: str) -> None:
        async with self._settling:
            if self._arriving[digest] > 0 or await self._database.read(packages.is_referred_to, digest):
                return
            await self._depot.delete(digest)


async def _within(content: AsyncIterator[bytes], room: Room, come: int) -> AsyncIterator[bytes]:
    """Pass bytes on while there is room."""
    async for piece in content:
        come += len(piece)
        room.check(come)
        yield piece


def written(package: Package, publishers: Publishers | None = None) -> dict[str, Any]:
    """A package as the API shows it; publishers of its slice that have signed it are named."""
    known = publishers or Publishers()
    return {
        "filename": package.filename,
        "digest": package.digest,
        "size": package.size,
        "kind": package.kind,
        "name": package.name,
        "version": package.version,
        "arch": package.arch,
        "requires": list(package.requires),
        "provides": list(package.provides),
        "application": package.application,
        "scripts": list(package.scripts),
        "put_at": package.put_at,
        "signatures": [
            {
                "key": shown(key := public_key(one.key)),
                "publisher": known.name_of(key),
                "at": one.at,
                "by": one.by,
            }
            for one in package.signatures
        ],
    }
