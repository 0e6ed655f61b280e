"""Whose packages a slice takes, and who has signed those in its depot.

Rule: a signature belongs to the name and the content under which a package lies in the depot of a slice,
and goes with it. It was found true before it was kept, and is looked at again by whoever installs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update

from dsmt_core.errors import Conflict, Full, NotFound
from dsmt_core.names import Slice
from dsmt_core.publishers import SIGNATURES, PackageSignature, Publishers, Statement
from dsmt_core.signing import in_text, out_of_text, public_key
from planner.requirements import Package, SignedBy
from planner.store.slices import no_slice
from planner.store.tables import PACKAGES, SLICES
from planner.vouched import chosen
from planner.wanted import WantedSlice


def read(value: dict[str, Any]) -> Publishers | None:
    """Publishers as they are stored; None: packages need not be signed."""
    if "keys" not in value:
        return None
    return Publishers({str(name): public_key(key) for name, key in value["keys"].items()})


def get(connection: Connection, slice_: Slice) -> Publishers | None:
    """Whose packages a slice takes.

    Raises:
        NotFound: there is no such slice.
    """
    return read(_stored(connection, slice_))


def put(connection: Connection, slice_: Slice, publishers: Publishers | None) -> None:
    """Say whose packages a slice takes; None: anybody's.

    Raises:
        NotFound: there is no such slice.
    """
    _store(connection, slice_, "keys", None if publishers is None else dict(publishers.keys))


def rpm_keys(connection: Connection, slice_: Slice) -> dict[str, str]:
    """The keys of OpenPGP of which one has to have signed each RPM, armoured, by name; none: as it comes.

    Raises:
        NotFound: there is no such slice.
    """
    return dict(_stored(connection, slice_).get("rpm", {}))


def put_rpm_keys(connection: Connection, slice_: Slice, keys: Mapping[str, str]) -> None:
    """Say which; none: RPMs are taken as they come.

    Raises:
        NotFound: there is no such slice.
    """
    _store(connection, slice_, "rpm", dict(keys) or None)


def _stored(connection: Connection, slice_: Slice) -> dict[str, Any]:
    row = connection.execute(select(SLICES.c.publishers).where(SLICES.c.slice == slice_)).one_or_none()
    if row is None:
        raise no_slice(slice_)
    return dict(row.publishers)


def _store(connection: Connection, slice_: Slice, part: str, value: dict[str, str] | None) -> None:
    others = {name: one for name, one in _stored(connection, slice_).items() if name != part}
    now = others if value is None else {**others, part: value}
    connection.execute(update(SLICES).where(SLICES.c.slice == slice_).values(publishers=now))


def sign(connection: Connection, slice_: Slice, filename: str, signed: SignedBy, digest: str) -> None:
    """Keep a signature of a package; one of the same key is replaced.

    Args:
        connection: in a transaction.
        slice_: in whose depot it is.
        filename: of the package.
        signed: was found true.
        digest: of what was signed.

    Raises:
        NotFound: the package has gone.
        Conflict: another one lies there now.
        Full: it has as many as it may have.
    """
    mine = (PACKAGES.c.slice == slice_, PACKAGES.c.filename == filename)
    row = connection.execute(select(PACKAGES.c.digest, PACKAGES.c.signatures).where(*mine)).one_or_none()
    if row is None:
        raise NotFound(f"the depot of {slice_} has no package {filename} any more")
    if row.digest != digest:
        raise Conflict(f"another content was put under {filename} meanwhile", hint="sign that one")
    others = [one for one in row.signatures if one["key"] != signed.key]
    if len(others) >= SIGNATURES:
        raise Full(f"{filename} has {len(others)} signatures; it may have {SIGNATURES}")
    kept = {"key": signed.key, "signature": signed.signature, "at": signed.at, "by": signed.by}
    connection.execute(update(PACKAGES).where(*mine).values(signatures=[*others, kept]))


def about(package: Package) -> Statement:
    """What a publisher says who signs a package."""
    return Statement(
        kind=package.kind,
        name=package.name,
        version=package.version,
        arch=package.arch,
        digest=package.digest,
    )


def with_signatures(connection: Connection, slice_: WantedSlice) -> WantedSlice:
    """A slice with what of its depot is signed by its publishers."""
    if slice_.publishers is None:
        return slice_
    return replace(slice_, signed=chosen(slice_, _signatures(connection, slice_.name)))


def _signatures(connection: Connection, slice_: Slice) -> Iterator[PackageSignature]:
    columns = (PACKAGES.c[name] for name in ("kind", "name", "version", "arch", "digest", "signatures"))
    for row in connection.execute(select(*columns).where(PACKAGES.c.slice == slice_)):
        said = Statement(
            kind=row.kind, name=row.name, version=row.version, arch=row.arch, digest=row.digest
        )
        for one in row.signatures:
            yield PackageSignature(said, public_key(one["key"]), out_of_text(one["signature"]))


def signed_by(signature: PackageSignature, *, at: float, by: str) -> SignedBy:
    """A signature as it is kept."""
    return SignedBy(key=signature.key, signature=in_text(signature.signature), at=at, by=by)
