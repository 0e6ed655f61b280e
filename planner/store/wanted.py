"""Wanted, from the tables and, as a round decided, back into them.

`commit` replaces slivers and placements of a slice, and nothing else: what people change at the
same time (plans, applications, packages) stays theirs. An application whose packages are not all in the
depot is not wanted yet: `incomplete` says what it waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from dsmt_core.agents import AgentPackage
from dsmt_core.configuration import Configuration
from dsmt_core.limits import limits_of
from dsmt_core.names import Application, Host, PlanName, Site, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.watch import Watch
from planner import guarded
from planner.budget import budget
from planner.quota import quota_of
from planner.steps import SliceChange
from planner.store import publishers, restraints
from planner.store.differing import put_rows, swap_rows
from planner.store.publishers import with_signatures
from planner.store.rollouts import latest, store_rollouts, written_release
from planner.store.site_quotas import load_site_quotas
from planner.store.standings import load_standings
from planner.store.tables import APPLICATIONS, PLACEMENTS, PLANS, ROLLOUTS, SLICES, SLIVERS
from planner.wanted import Placement, Plan, Run, Wanted, WantedApplication, WantedSlice

_Rows = Mapping[str, Sequence[Row[Any]]]
_NOTHING_KNOWN: Final[Mapping[Slice, WantedSlice]] = MappingProxyType({})
_CHILDREN: Final = (PLANS, APPLICATIONS, SLIVERS, PLACEMENTS, ROLLOUTS)


def load_wanted(connection: Connection) -> Wanted:
    """Everything that is wanted."""
    children = [_by_slice(connection, table) for table in _CHILDREN]
    rows = connection.execute(select(SLICES).order_by(SLICES.c.slice))
    slices = {Slice(row.slice): with_signatures(connection, _slice(row, *children)) for row in rows.all()}
    return Wanted(slices, load_standings(connection), load_site_quotas(connection))


def load_slice(connection: Connection, slice_: Slice) -> WantedSlice | None:
    """What is wanted of one slice; None when there is no such slice."""
    row = connection.execute(select(SLICES).where(SLICES.c.slice == slice_)).one_or_none()
    if row is None:
        return None
    children = (_by_slice(connection, table, slice_) for table in _CHILDREN)
    return with_signatures(connection, _slice(row, *children))


def commit(
    connection: Connection,
    changes: Iterable[SliceChange],
    known: Mapping[Slice, WantedSlice] = _NOTHING_KNOWN,
) -> list[WantedSlice]:
    """Store what a round decided.

    Args:
        connection: in a transaction.
        changes: one for each slice at most.
        known: slices as the caller takes them to be stored. Whatever changes where a slice is raises its
            generation; so where the stored one is the same, only what differs is written, and nothing read.

    Returns:
        The changed slices as they are now. A slice that was deleted meanwhile is left out.
    """
    changed = []
    for change in changes:
        before = known.get(change.slice)
        if before is not None and _generation(connection, change.slice) == before.generation:
            changed.append(_store_difference(connection, before, change))
            continue
        _store(connection, change)
        if (stored := load_slice(connection, change.slice)) is not None:
            changed.append(stored)
    return changed


def incomplete(connection: Connection, slice_: Slice) -> dict[Application, str]:
    """The applications of a slice that wait for a package, with what they wait for."""
    rows = connection.execute(
        select(APPLICATIONS.c.application, APPLICATIONS.c.missing).where(
            APPLICATIONS.c.slice == slice_, APPLICATIONS.c.missing != ""
        )
    )
    return {Application(row.application): row.missing for row in rows}


def store_placements(connection: Connection, slice_: WantedSlice) -> None:
    """Store slivers, placements, generation and roll-outs of a slice as they are in ``slice_``."""
    _store(
        connection,
        SliceChange(
            slice=slice_.name,
            generation=slice_.generation,
            hosts=slice_.hosts,
            retired=slice_.retired,
            placements=slice_.placements,
            rollouts=slice_.rollouts,
        ),
    )


def _store(connection: Connection, change: SliceChange) -> None:
    # Never backwards: people may have raised the counter since the round began.
    known = _generation(connection, change.slice)
    if known is None:
        return
    _store_counter(connection, change, max(known, change.generation))
    slivers = [_sliver(change.slice, host, n, retired=False) for host, n in change.hosts.items()]
    slivers += [_sliver(change.slice, host, n, retired=True) for host, n in change.retired.items()]
    put_rows(connection, SLIVERS, change.slice, slivers)
    put_rows(connection, PLACEMENTS, change.slice, map(_placement_row, change.placements))
    _store_rollouts(connection, change)


def _store_difference(connection: Connection, before: WantedSlice, change: SliceChange) -> WantedSlice:
    """The same where it is known what is stored; the slice as it is now."""
    name, generation = change.slice, max(before.generation, change.generation)
    _store_counter(connection, change, generation)
    left = [
        {host for host, _ in was.items() ^ now.items()}
        for was, now in ((before.hosts, change.hosts), (before.retired, change.retired))
    ]
    hosts = sorted(left[0] | left[1])
    slivers = [
        _sliver(name, host, change.hosts[host], retired=False) for host in hosts if host in change.hosts
    ]
    slivers += [
        _sliver(name, host, change.retired[host], retired=True) for host in hosts if host in change.retired
    ]
    swap_rows(connection, SLIVERS, [(name, host) for host in hosts], slivers)
    # Rounds keep the very placements that do not change; one that was made anew and is equal costs a row.
    kept = {id(one) for one in before.placements} & {id(one) for one in change.placements}
    placed = [one for one in change.placements if id(one) not in kept]
    gone = {(name, one.host, one.application) for one in before.placements if id(one) not in kept}
    swap_rows(connection, PLACEMENTS, sorted(gone), map(_placement_row, placed))
    _store_rollouts(connection, change)
    return replace(change.applied(before), generation=generation)


def _generation(connection: Connection, slice_: Slice) -> int | None:
    return connection.execute(select(SLICES.c.generation).where(SLICES.c.slice == slice_)).scalar()


def _store_counter(connection: Connection, change: SliceChange, generation: int) -> None:
    mine = SLICES.c.slice == change.slice
    connection.execute(update(SLICES).where(mine).values(generation=generation))
    if change.restraint is not None:
        restraints.put(connection, change.slice, change.restraint)


def _store_rollouts(connection: Connection, change: SliceChange) -> None:
    store_rollouts(connection, change.slice, change.rollouts)
    for name, release in change.releases.items():
        of_it = APPLICATIONS.c.slice == change.slice, APPLICATIONS.c.application == name
        connection.execute(update(APPLICATIONS).where(*of_it).values(**written_release(release)))


def _sliver(slice_: Slice, host: Host, generation: int, *, retired: bool) -> dict[str, Any]:
    return {"slice": slice_, "host": host, "generation": generation, "retired": retired}


def _placement_row(one: Placement) -> dict[str, Any]:
    return {
        "slice": one.slice,
        "host": one.host,
        "application": one.application,
        "version": one.version,
        "generation": one.generation,
        "run": one.run.value,
        "restarts": one.restarts,
        "configuration": one.configuration,
    }


def _by_slice(connection: Connection, table: Any, only: Slice | None = None) -> _Rows:
    asked = select(table).order_by(*table.primary_key.columns)
    if only is not None:
        asked = asked.where(table.c.slice == only)
    found = defaultdict(list)
    for row in connection.execute(asked):
        found[row.slice].append(row)
    return found


def _slice(row: Row[Any], *children: _Rows) -> WantedSlice:
    """A slice from its row and, in the order of `_CHILDREN`, the rows of what belongs to it."""
    name = Slice(row.slice)
    plans, applications, mine, placed, rollouts = (rows.get(name, ()) for rows in children)
    return WantedSlice(
        name=name,
        managed=row.managed,
        generation=row.generation,
        agent=row.agent,
        agent_parameters=row.agent_parameters,
        agent_package=AgentPackage.parse(row.agent_package) if row.agent_package else None,
        plan=PlanName(row.plan),
        plan_parameters=row.plan_parameters,
        plans={PlanName(one.plan): _plan(one) for one in plans},
        applications={
            Application(one.application): _application(one) for one in applications if one.packages
        },
        hosts={Host(one.host): one.generation for one in mine if not one.retired},
        retired={Host(one.host): one.generation for one in mine if one.retired},
        placements=tuple(map(_placement, placed)),
        status_period=row.status_period,
        budget=budget(row.budget),
        restraint=restraints.read(row.restraint),
        rollouts=latest(rollouts),
        guard=guarded.read(row.guard),
        limits=limits_of(row.limits),
        life=row.life,
        site=Site(row.site),
        quota=quota_of(row.quota),
        publishers=publishers.read(row.publishers),
    )


def _plan(row: Row[Any]) -> Plan:
    return Plan(PlanName(row.plan), row.base, row.parameters)


def _application(row: Row[Any]) -> WantedApplication:
    return WantedApplication(
        name=Application(row.application),
        wrapper=row.wrapper,
        version=row.version,
        packages=tuple(map(PackageRef.parse, row.packages)),
        run=Run(row.run),
        restarts=row.restarts,
        configuration=Configuration.of(row.configuration),
        watch=Watch.of(row.watch),
    )


def _placement(row: Row[Any]) -> Placement:
    return Placement(
        slice=Slice(row.slice),
        host=Host(row.host),
        application=Application(row.application),
        version=row.version,
        generation=row.generation,
        run=Run(row.run),
        restarts=row.restarts,
        configuration=row.configuration,
    )
