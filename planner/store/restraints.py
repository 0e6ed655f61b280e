"""What keeps the planner from stopping many by its own idea, in a column of its slice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from dsmt_core.names import Host, Slice
from planner.restraint import FREE, Restraint
from planner.store.slices import no_slice
from planner.store.tables import SLICES


def put(connection: Connection, slice_: Slice, restraint: Restraint) -> None:
    """Store it.

    Raises:
        NotFound: there is no such slice.
    """
    changed = update(SLICES).where(SLICES.c.slice == slice_).values(restraint=written(restraint))
    if not connection.execute(changed).rowcount:
        raise no_slice(slice_)


def written(restraint: Restraint) -> dict[str, Any]:
    """A restraint as JSON."""
    return {
        "carried": restraint.carried,
        "stopped": restraint.stopped,
        "stopped_at": restraint.stopped_at,
        "agreed": sorted(restraint.agreed),
    }


def read(value: dict[str, Any]) -> Restraint:
    """The restraint that was written so; of a slice that an older version stored, none."""
    if not value:
        return FREE
    return Restraint(
        carried=value["carried"],
        stopped=value["stopped"],
        stopped_at=value["stopped_at"],
        agreed=frozenset(map(Host, value["agreed"])),
    )
