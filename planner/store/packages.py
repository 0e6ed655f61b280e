"""The packages in the depots of the slices; the bytes are in the depot, by their digest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from dsmt_core.agents import AgentPackage
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.images import KIND
from dsmt_core.names import Slice
from planner.requirements import Package, SignedBy
from planner.store import applications, roots
from planner.store.slices import people
from planner.store.tables import PACKAGES, SLICES


def listed(connection: Connection, slice_: Slice) -> list[Package]:
    """The packages of a slice, by file name."""
    asked = select(PACKAGES).where(PACKAGES.c.slice == slice_).order_by(PACKAGES.c.filename)
    return [_package(row) for row in connection.execute(asked)]


def get(connection: Connection, slice_: Slice, filename: str) -> Package:
    """One package.

    Raises:
        NotFound: the slice has none of this name.
    """
    asked = select(PACKAGES).where(PACKAGES.c.slice == slice_, PACKAGES.c.filename == filename)
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise NotFound(
            f"the depot of {slice_} has no package {filename}", hint="dsmtc depot list shows what it has"
        )
    return _package(row)


def put(connection: Connection, slice_: Slice, package: Package) -> applications.Effect:
    """Record a package that the depot holds, and what follows for the slice's applications.

    Raises:
        Conflict: another content under this name is in use.
        NotFound: there is no such slice.
    """
    people(connection, slice_)
    known = {one.filename: one for one in listed(connection, slice_)}.get(package.filename)
    _alone(connection, slice_, package)
    if known is not None and known.digest != package.digest:
        remove(connection, slice_, package.filename)
        known = None
    if known is None:
        connection.execute(insert(PACKAGES).values(slice=slice_, **_columns(package)))
    return applications.package_came(connection, slice_, package, listed(connection, slice_))


def _alone(connection: Connection, slice_: Slice, package: Package) -> None:
    """An application that is an image has the slivers of its slice for itself."""
    there = [name for name in applications.listed(connection, slice_) if name != package.application]
    if not package.application or not there:
        return
    kinds = {one.application: one.kind for one in listed(connection, slice_)}
    images = [name for name in there if kinds.get(name) == KIND]
    if images or package.kind == KIND:
        name = images[0] if images else package.application
        raise Conflict(
            f"{name} is an image, and has its slice for itself: {slice_} has {', '.join(there)} already",
            hint="dsmtc create makes a slice for it",
        )


def remove(connection: Connection, slice_: Slice, filename: str) -> Package:
    """Forget a package.

    Raises:
        NotFound: the slice has none of this name.
        Conflict: an application is wanted with it, or it is the slice's agent.
    """
    package = get(connection, slice_, filename)
    if str(package.ref) in agents(connection, slice_):
        raise Conflict(
            f"{filename} is the agent of {slice_}",
            hint="dsmtc setagent chooses another agent, or another version of it, first",
        )
    if roots.is_root(connection, slice_, package.digest):
        raise Conflict(
            f"{filename} is the root file system of {slice_}", hint="limits --root another, first"
        )
    users = applications.using(connection, slice_, package)
    if users:
        raise Conflict(
            f"{filename} is in use by the application {', '.join(users)}",
            hint="uninstall the application, update it to another version, or end its roll-out, first",
        )
    connection.execute(delete(PACKAGES).where(PACKAGES.c.slice == slice_, PACKAGES.c.filename == filename))
    return package


def agents(connection: Connection, slice_: Slice) -> list[str]:
    """The package of the slice's agent, as orders name it; none for the default one."""
    text = connection.execute(select(SLICES.c.agent_package).where(SLICES.c.slice == slice_)).scalar()
    return [str(AgentPackage.parse(text).package)] if text else []


def is_referred_to(connection: Connection, digest: str) -> bool:
    """Whether any slice has a package with this content."""
    count = select(func.count()).select_from(PACKAGES).where(PACKAGES.c.digest == digest)
    return bool(connection.execute(count).scalar_one())


def _columns(package: Package) -> dict[str, Any]:
    return asdict(package) | {
        "requires": list(package.requires),
        "provides": list(package.provides),
        "scripts": list(package.scripts),
        "signatures": list(map(asdict, package.signatures)),
    }


def _package(row: Row[Any]) -> Package:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to the columns of a row
    del fields["slice"]
    lists = ("requires", "provides", "scripts")
    signatures = tuple(SignedBy(**one) for one in row.signatures)
    return Package(**fields | {name: tuple(fields[name]) for name in lists} | {"signatures": signatures})
