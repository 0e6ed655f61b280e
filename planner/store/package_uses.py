"""One package of a slice: what uses it, on which hosts, who put it, and who else has the same content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from dsmt_core.names import Host, Slice
from planner.requirements import Package
from planner.rollout.releases import in_use
from planner.store import packages, pruning
from planner.store.audit_table import AUDIT
from planner.store.slices import no_slice
from planner.store.tables import PACKAGES
from planner.store.wanted import load_slice
from planner.wanted import WantedSlice

# A package's time is taken right before the entry about it is written.
_BEFORE_S: Final = 1.0
_ENTRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a package.

    Attributes:
        uses: why it cannot be removed, a sentence each; none: nothing uses it.
        hosts: where a release with it is placed.
        by: who put it; empty when the log does not tell any more.
        alike: the other slices whose depot has the same content.
    """

    package: Package
    uses: tuple[str, ...]
    hosts: tuple[Host, ...]
    by: str
    alike: tuple[Slice, ...]


def known(connection: Connection, slice_: Slice, filename: str) -> Known:
    """All about one package.

    Raises:
        NotFound: there is no such slice, or no such package in it.
    """
    wanted = load_slice(connection, slice_)
    if wanted is None:
        raise no_slice(slice_)
    package = packages.get(connection, slice_, filename)
    uses = dict.fromkeys(pruning.reasons(connection, wanted, package))
    return Known(
        package,
        tuple(uses),
        tuple(sorted(set(_hosts(wanted, package)))),
        _putter(connection, slice_, package),
        _alike(connection, slice_, package),
    )


def _hosts(wanted: WantedSlice, package: Package) -> Iterator[Host]:
    for name in wanted.applications:
        having = {
            one.name
            for one in in_use(wanted, name)
            if package.digest in {ref.digest for ref in one.packages}
        }
        yield from (
            one.host for one in wanted.placements if one.application == name and one.release in having
        )


def _putter(connection: Connection, slice_: Slice, package: Package) -> str:
    """Who put it, as the audit log has it."""
    asked = (
        select(AUDIT.c.account, AUDIT.c.change)
        .where(AUDIT.c.slice == slice_, AUDIT.c.act == "package.put", AUDIT.c.outcome == "done")
        .where(AUDIT.c.at_ms >= int((package.put_at - _BEFORE_S) * 1000))
        .order_by(AUDIT.c.number)
        .limit(_ENTRIES)
    )
    for row in connection.execute(asked):
        if json.loads(row.change or "{}").get("filename") == package.filename:
            return str(row.account)
    return ""


def _alike(connection: Connection, slice_: Slice, package: Package) -> tuple[Slice, ...]:
    asked = select(PACKAGES.c.slice).where(PACKAGES.c.digest == package.digest, PACKAGES.c.slice != slice_)
    return tuple(sorted(map(Slice, connection.execute(asked.distinct()).scalars())))
