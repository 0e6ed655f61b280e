"""How much each slice has in its depot, and what it was given."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from dsmt_core.names import Slice
from planner.store.slices import no_slice
from planner.store.tables import PACKAGES, SLICES


def used_bytes(connection: Connection, slice_: Slice, *, without: str = "") -> int:
    """What the packages of a slice take, each content once, but for the file ``without``."""
    mine = (PACKAGES.c.slice == slice_, PACKAGES.c.filename != without)
    sizes = (
        select(PACKAGES.c.digest, func.max(PACKAGES.c.size).label("size"))
        .where(*mine)
        .group_by(PACKAGES.c.digest)
        .subquery()
    )
    return int(connection.execute(select(func.coalesce(func.sum(sizes.c.size), 0))).scalar_one())


def given(connection: Connection, slice_: Slice) -> int | None:
    """The bound that a slice was given, bytes; None for the default.

    Raises:
        NotFound: there is no such slice.
    """
    row = connection.execute(select(SLICES.c.depot_bytes).where(SLICES.c.slice == slice_)).one_or_none()
    if row is None:
        raise no_slice(slice_)
    return None if row.depot_bytes is None else int(row.depot_bytes)


def give(connection: Connection, slice_: Slice, allowed: int | None) -> None:
    """Give a slice a bound; None: the default.

    Raises:
        NotFound: there is no such slice.
    """
    changed = update(SLICES).where(SLICES.c.slice == slice_).values(depot_bytes=allowed)
    if not connection.execute(changed).rowcount:
        raise no_slice(slice_)
