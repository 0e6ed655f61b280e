"""Wanted, from the tables and, as a round decided, back into them.

`commit` replaces slivers and placements of a slice whole, and nothing else: what people change at the
same time (plans, applications, packages) stays theirs. An application whose packages are not all in the
depot is not wanted yet: `incomplete` says what it waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from dsmt_core.names import Application, Host, PlanName, Slice
from dsmt_core.packages import PackageRef
from planner.budget import budget
from planner.steps import SliceChange
from planner.store import restraints
from planner.store.standings import load_standings
from planner.store.tables import APPLICATIONS, PLACEMENTS, PLANS, SLICES, SLIVERS
from planner.wanted import Placement, Plan, Run, Wanted, WantedApplication, WantedSlice

_Rows = Mapping[str, Sequence[Row[Any]]]


def load_wanted(connection: Connection) -> Wanted:
    """Everything that is wanted."""
    children = [_by_slice(connection, table) for table in (PLANS, APPLICATIONS, SLIVERS, PLACEMENTS)]
    rows = connection.execute(select(SLICES).order_by(SLICES.c.slice))
    slices = {Slice(row.slice): _slice(row, *children) for row in rows}
    return Wanted(slices, load_standings(connection))


def load_slice(connection: Connection, slice_: Slice) -> WantedSlice | None:
    """What is wanted of one slice; None when there is no such slice."""
    row = connection.execute(select(SLICES).where(SLICES.c.slice == slice_)).one_or_none()
    if row is None:
        return None
    tables = (PLANS, APPLICATIONS, SLIVERS, PLACEMENTS)
    return _slice(row, *(_by_slice(connection, table, slice_) for table in tables))


def commit(connection: Connection, changes: Iterable[SliceChange]) -> list[WantedSlice]:
    """Store what a round decided.

    Returns:
        The changed slices as they are now. A slice that was deleted meanwhile is left out.
    """
    changed = []
    for change in changes:
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
    """Store slivers, placements and generation of a slice as they are in ``slice_``."""
    _store(
        connection,
        SliceChange(
            slice=slice_.name,
            generation=slice_.generation,
            hosts=slice_.hosts,
            retired=slice_.retired,
            placements=slice_.placements,
        ),
    )


def _store(connection: Connection, change: SliceChange) -> None:
    mine = SLICES.c.slice == change.slice
    # Never backwards: people may have raised the counter since the round began.
    known = connection.execute(select(SLICES.c.generation).where(mine)).scalar()
    if known is None:
        return
    connection.execute(update(SLICES).where(mine).values(generation=max(known, change.generation)))
    if change.restraint is not None:
        restraints.put(connection, change.slice, change.restraint)
    connection.execute(delete(SLIVERS).where(SLIVERS.c.slice == change.slice))
    connection.execute(delete(PLACEMENTS).where(PLACEMENTS.c.slice == change.slice))
    slivers = [_sliver(change.slice, host, n, retired=False) for host, n in change.hosts.items()]
    slivers += [_sliver(change.slice, host, n, retired=True) for host, n in change.retired.items()]
    if slivers:
        connection.execute(insert(SLIVERS), slivers)
    if change.placements:
        connection.execute(insert(PLACEMENTS), [_placement_row(one) for one in change.placements])


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
    }


def _by_slice(connection: Connection, table: Any, only: Slice | None = None) -> _Rows:
    asked = select(table).order_by(*table.primary_key.columns)
    if only is not None:
        asked = asked.where(table.c.slice == only)
    found = defaultdict(list)
    for row in connection.execute(asked):
        found[row.slice].append(row)
    return found


def _slice(row: Row[Any], plans: _Rows, applications: _Rows, slivers: _Rows, placed: _Rows) -> WantedSlice:
    name = Slice(row.slice)
    mine = slivers.get(name, ())
    return WantedSlice(
        name=name,
        managed=row.managed,
        generation=row.generation,
        agent=row.agent,
        agent_parameters=row.agent_parameters,
        plan=PlanName(row.plan),
        plan_parameters=row.plan_parameters,
        plans={PlanName(one.plan): _plan(one) for one in plans.get(name, ())},
        applications={
            Application(one.application): _application(one)
            for one in applications.get(name, ())
            if one.packages
        },
        hosts={Host(one.host): one.generation for one in mine if not one.retired},
        retired={Host(one.host): one.generation for one in mine if one.retired},
        placements=tuple(map(_placement, placed.get(name, ()))),
        status_period=row.status_period,
        budget=budget(row.budget),
        restraint=restraints.read(row.restraint),
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
    )
