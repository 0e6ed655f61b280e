"""The root file system of a slice's slivers: one that nodes offer, or a package of the slice's depot."""

from __future__ import annotations

from sqlalchemy import Connection, select

from dsmt_core.errors import Invalid
from dsmt_core.limits import ROOT_KIND, Limits, changed, limits_of
from dsmt_core.names import Slice
from planner.store import slices
from planner.store.tables import PACKAGES, SLICES


def set_limits(connection: Connection, slice_: Slice, limits: Limits, root: str | None) -> None:
    """Set the limits of a slice's slivers, and if ``root`` is given, their root file system.

    Args:
        connection: in a transaction.
        slice_: which one.
        limits: with the root file system of before.
        root: a package of the slice's depot by its file name, or the name of one that nodes offer.

    Raises:
        NotFound: there is no such slice.
        Invalid: it is neither, or the package is of another kind.
    """
    if root is not None:
        limits = changed(limits, "root", _named(connection, slice_, root))
    slices.set_limits(connection, slice_, limits.text)


def is_root(connection: Connection, slice_: Slice, digest: str) -> bool:
    """Whether a package is the root file system of the slice's slivers."""
    text = connection.execute(select(SLICES.c.limits).where(SLICES.c.slice == slice_)).scalar()
    package = limits_of(text or "").root_package
    return package is not None and package[0] == digest


def _named(connection: Connection, slice_: Slice, root: str) -> str:
    columns = PACKAGES.c.digest, PACKAGES.c.size, PACKAGES.c.kind
    asked = select(*columns).where(PACKAGES.c.slice == slice_, PACKAGES.c.filename == root)
    row = connection.execute(asked).one_or_none()
    if row is None:
        if "/" in root:
            # By its digest alone one could have what is in another slice's depot.
            raise Invalid(f"{root[:80]!r} names no root file system", hint="a file of the depot, or a name")
        return root
    if row.kind != ROOT_KIND:
        raise Invalid(f"{root} is no root file system: it is of the kind {row.kind}")
    return f"{row.digest}/{row.size}"
