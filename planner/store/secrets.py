"""The secrets of slices, sealed: what lies here is of no use without the planner's key file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from dsmt_core.errors import Full, NotFound
from dsmt_core.names import Slice
from planner.store.tables import SECRETS

NAMES: Final = 200
KEPT: Final = 8
"""So many contents of one name: the newest, and those that hosts may have still, or get back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One content of a secret; ``sealed`` is its cipher text."""

    slice: Slice
    name: str
    id: str
    put_at: float
    put_by: str
    sealed: str


def put(connection: Connection, kept: Kept) -> None:
    """Keep a content; the oldest of its name beyond `KEPT` are forgotten.

    Raises:
        Full: the slice has too many secrets.
    """
    before = [one for one in listed(connection, kept.slice) if one.name == kept.name]
    names = {one.name for one in listed(connection, kept.slice)}
    if not before and len(names) >= NAMES:
        raise Full(f"{kept.slice} has {NAMES} secrets already", hint="dsmtc secret remove NAME")
    values = {field: getattr(kept, field) for field in Kept.__dataclass_fields__}
    connection.execute(insert(SECRETS).values(**values))
    for one in before[: max(len(before) + 1 - KEPT, 0)]:
        connection.execute(delete(SECRETS).where(SECRETS.c.id == one.id))


def listed(connection: Connection, slice_: Slice) -> list[Kept]:
    """All contents of a slice's secrets, by name, the oldest first."""
    asked = select(SECRETS).where(SECRETS.c.slice == slice_)
    rows = connection.execute(asked.order_by(SECRETS.c.name, SECRETS.c.put_at, SECRETS.c.id))
    return [Kept(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented way


def get(connection: Connection, slice_: Slice, id_: str) -> Kept:
    """One content of this slice.

    Raises:
        NotFound: the slice has it not.
    """
    asked = select(SECRETS).where(SECRETS.c.slice == slice_, SECRETS.c.id == id_)
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise NotFound("the slice has no such secret any more", hint="put it again, and configure with it")
    return Kept(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way


def remove(connection: Connection, slice_: Slice, name: str) -> None:
    """Forget all contents of a name.

    Raises:
        NotFound: there is none.
    """
    mine = delete(SECRETS).where(SECRETS.c.slice == slice_, SECRETS.c.name == name)
    if not connection.execute(mine).rowcount:
        raise NotFound(f"{slice_} has no secret {name!r}", hint="dsmtc secret list")
