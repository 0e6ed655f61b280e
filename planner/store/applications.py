"""The applications of a slice, and what people ask of them: start, stop, restart, update, uninstall.

`planner.turns.turn` decides what a verb makes of a slice; here it is stored, placements and generation
with it, in the same transaction: the next round only has to send the orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dsmt_core.commands import Verb
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.watch import Watch
from planner import turns, vouched
from planner.foresight import Foresight, at_once
from planner.requirements import Package, Resolution, resolve, scripts_of
from planner.rollout.releases import in_use
from planner.store.slices import no_slice
from planner.store.tables import APPLICATIONS
from planner.store.wanted import load_slice, store_placements
from planner.wanted import Run, WantedSlice


@dataclass(frozen=True, slots=True)
class Effect:
    """What putting a package did.

    Attributes:
        added: the application that it added; empty for none.
        used: whether an application is wanted with this package now.
        missing: what the application still waits for.
    """

    added: str = ""
    used: bool = False
    missing: str = ""


def package_came(
    connection: Connection, slice_: Slice, package: Package, depot: Sequence[Package]
) -> Effect:
    """Add the application whose scripts ``package`` carries, if it is new; complete those that waited."""
    added = ""
    if package.application and package.application not in listed(connection, slice_):
        added = package.application
        connection.execute(insert(APPLICATIONS).values(slice=slice_, **_row(package, depot)))
    _complete(connection, slice_, depot)
    name = package.application or ""
    missing = connection.execute(
        select(APPLICATIONS.c.missing).where(*_of(slice_, Application(name)))
    ).scalar()
    return Effect(added, bool(using(connection, slice_, package)), str(missing or "") if name else "")


def listed(connection: Connection, slice_: Slice) -> list[str]:
    """The names of the applications of a slice, also of those that wait for a package."""
    asked = select(APPLICATIONS.c.application).where(APPLICATIONS.c.slice == slice_)
    return [str(name) for name in connection.execute(asked.order_by(APPLICATIONS.c.application)).scalars()]


def using(connection: Connection, slice_: Slice, package: Package) -> list[str]:
    """The applications that are wanted with this package, or are being rolled out with it, by name."""
    rows = connection.execute(select(APPLICATIONS).where(APPLICATIONS.c.slice == slice_))
    users = {
        row.application
        for row in rows
        if str(package.ref) in row.packages
        or (row.application == package.application and row.version == package.version)
    }
    return sorted(users | _rolling(connection, slice_, package))


def _rolling(connection: Connection, slice_: Slice, package: Package) -> set[str]:
    """The applications of which hosts have, or may be told, a release with this package."""
    wanted = load_slice(connection, slice_)
    if wanted is None:
        return set()
    return {
        str(name)
        for name in wanted.applications.keys() & wanted.rollouts.keys()
        if any(package.ref in release.packages for release in in_use(wanted, name))
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What somebody asks of an application.

    Attributes:
        hosts: only there; everywhere when empty.
        version: for UPDATE: which one; the newest in the depot when empty.
    """

    application: Application
    verb: Verb
    hosts: tuple[Host, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Turned:
    """What came of it: the hosts where the application was or is placed, and whether anything changed."""

    hosts: tuple[Host, ...]
    changed: bool


def turn(connection: Connection, slice_: Slice, asked: Turn, depot: Sequence[Package]) -> Turned:
    """Change what is wanted of an application.

    Raises:
        NotFound: no such slice, application, host or version.
        Invalid: the verb does not take hosts.
        Conflict: the application, or the version, still lacks a package.
        Denied: one of its packages is not signed by a publisher of the slice.
    """
    before = _loaded(connection, slice_)
    if asked.application not in before.applications:
        return _turn_incomplete(connection, slice_, asked)
    after = _turned(before, asked, depot)
    _store_application(connection, after, asked.application)
    store_placements(connection, after)
    named = {
        one.host for one in (*before.placements, *after.placements) if one.application == asked.application
    }
    hosts = tuple(sorted(named & set(asked.hosts) if asked.hosts else named))
    return Turned(hosts, before != after)


def foreseen(connection: Connection, slice_: Slice, asked: Turn, depot: Sequence[Package]) -> Foresight:
    """What an update would change; it changes nothing.

    Raises:
        NotFound, Invalid, Conflict: as `turn`.
    """
    before = _loaded(connection, slice_)
    if asked.application not in before.applications:
        raise _incomplete(_one(connection, slice_, asked.application))
    return at_once(before, _turned(before, asked, depot), asked.application)


def watch(connection: Connection, slice_: Slice, name: Application, how: Watch) -> bool:
    """Have an application watched in another way; whether that was a change.

    Raises:
        NotFound: no such slice or application.
        Conflict: the application still lacks a package.
    """
    before = _loaded(connection, slice_)
    if name not in before.applications:
        raise _incomplete(_one(connection, slice_, name))
    after = turns.watched(before, name, how)
    if after != before:
        _store_application(connection, after, name)
        store_placements(connection, after)
    return after != before


def _loaded(connection: Connection, slice_: Slice) -> WantedSlice:
    found = load_slice(connection, slice_)
    if found is None:
        raise no_slice(slice_)
    return found


def _turned(before: WantedSlice, asked: Turn, depot: Sequence[Package]) -> WantedSlice:
    version = None
    if asked.verb is Verb.UPDATE:
        version = resolved_version(before.name, asked.application, asked.version, depot)
        vouched.check(before, version[1])
    elif asked.verb is Verb.START:
        vouched.check(before, before.applications[asked.application].packages)
    return turns.turn(before, asked.application, asked.verb, hosts=asked.hosts, version=version)


def _incomplete(row: Any) -> Conflict:
    return Conflict(f"{row.application} waits: {row.missing}", hint="put what is missing into the depot")


def _turn_incomplete(connection: Connection, slice_: Slice, asked: Turn) -> Turned:
    row = _one(connection, slice_, asked.application)
    if asked.verb is not Verb.UNINSTALL:
        raise _incomplete(row)
    connection.execute(delete(APPLICATIONS).where(*_of(slice_, asked.application)))
    return Turned((), changed=True)


def resolved_version(
    slice_: Slice, name: Application, version: str, depot: Sequence[Package]
) -> tuple[str, tuple[PackageRef, ...]]:
    """A version of an application, the newest when none is named, with what to install for it.

    Raises:
        NotFound: the depot has it not.
        Conflict: it lacks a package.
    """
    wrapper = scripts_of(name, depot, version)
    if wrapper is None:
        has = ", ".join(sorted(one.version for one in depot if one.application == name))
        raise NotFound(
            f"the depot of {slice_} has no version {version or 'at all'} of {name}",
            hint=f"it has {has}"
            if has
            else f"put its package first: dsmtc depot put FILE --slice {slice_}",
        )
    resolution = resolve(wrapper, depot)
    if resolution.missing:
        raise Conflict(
            f"{name} {wrapper.version} cannot be used yet: {resolution.missing}",
            hint="put what is missing into the depot, then update again",
        )
    return wrapper.version, tuple(one.ref for one in resolution.packages)


def _store_application(connection: Connection, after: WantedSlice, name: Application) -> None:
    mine = _of(after.name, name)
    now = after.applications.get(name)
    if now is None:
        connection.execute(delete(APPLICATIONS).where(*mine))
        return
    values = {
        "wrapper": now.wrapper,
        "version": now.version,
        "packages": list(map(str, now.packages)),
        "run": now.run.value,
        "restarts": now.restarts,
        "watch": now.watch.values,
    }
    connection.execute(update(APPLICATIONS).where(*mine).values(**values))


def _complete(connection: Connection, slice_: Slice, depot: Sequence[Package]) -> None:
    waiting = connection.execute(
        select(APPLICATIONS).where(APPLICATIONS.c.slice == slice_, APPLICATIONS.c.missing != "")
    ).all()
    for row in waiting:
        wrapper = scripts_of(row.application, depot, row.version)
        if wrapper is not None:
            values = _resolved(wrapper, resolve(wrapper, depot))
            connection.execute(
                update(APPLICATIONS).where(*_of(slice_, Application(row.application))).values(**values)
            )


def _row(wrapper: Package, depot: Sequence[Package]) -> dict[str, Any]:
    fresh = {"application": wrapper.application, "run": Run.RUNNING.value, "restarts": 0}
    return fresh | _resolved(wrapper, resolve(wrapper, depot))


def _resolved(wrapper: Package, resolution: Resolution) -> dict[str, Any]:
    return {
        "wrapper": wrapper.name,
        "version": wrapper.version,
        "packages": [str(one.ref) for one in resolution.packages],
        "missing": resolution.missing,
    }


def _one(connection: Connection, slice_: Slice, application: Application) -> Any:
    row = connection.execute(select(APPLICATIONS).where(*_of(slice_, application))).one_or_none()
    if row is None:
        known = ", ".join(listed(connection, slice_))
        raise NotFound(
            f"the slice {slice_} has no application {application}",
            hint=f"it has {known}" if known else "putting a wrapper package into its depot adds one",
        )
    return row


def _of(slice_: Slice, application: Application) -> tuple[Any, ...]:
    return APPLICATIONS.c.slice == slice_, APPLICATIONS.c.application == application
