"""What a slice needs of its depot, from the tables, and the removal of what it does not need."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, delete, select

from dsmt_core.names import Slice
from planner.release import version_of
from planner.requirements import Package
from planner.retention import Retention, Sorted, Uses, sort
from planner.rollout.releases import in_use
from planner.store.packages import agents, listed
from planner.store.slices import no_slice
from planner.store.tables import APPLICATIONS, PACKAGES
from planner.store.wanted import load_slice
from planner.wanted import WantedSlice

_NOTHING_BESIDES: Final = Retention(keep=0)


def pruned(
    connection: Connection, slice_: Slice, retention: Retention, *, now: float, dry_run: bool
) -> Sorted:
    """Remove what the slice does not need and ``retention`` does not keep.

    Args:
        connection: in a transaction.
        slice_: which one.
        retention: what stays besides.
        now: seconds since the epoch.
        dry_run: only tell.

    Raises:
        NotFound: there is no such slice.
    """
    wanted = load_slice(connection, slice_)
    if wanted is None:
        raise no_slice(slice_)
    found = sort(listed(connection, slice_), _uses(connection, wanted), retention, now=now)
    names = [one.filename for one in found.gone]
    if names and not dry_run:
        connection.execute(
            delete(PACKAGES).where(PACKAGES.c.slice == slice_, PACKAGES.c.filename.in_(names))
        )
    return found


def reasons(connection: Connection, wanted: WantedSlice, package: Package) -> Iterator[str]:
    """Why a package of a slice's depot is not removed; nothing when nothing uses it.

    Some reasons may come twice.
    """
    if str(package.ref) in agents(connection, wanted.name):
        yield "the agent of the slice"
    uses, depot = _uses(connection, wanted), listed(connection, wanted.name)
    if package.application:
        mine = package.application, package.version
        yield from (reason for named, reason in _versions(connection, wanted) if named == mine)
    # One reason of each package, also of what only others require.
    kept = sort(depot, uses, _NOTHING_BESIDES, now=math.inf).kept
    if reason := kept.get(package.filename):
        yield reason


def referred_to(connection: Connection) -> set[str]:
    """The digests of all packages of all slices."""
    return set(connection.execute(select(PACKAGES.c.digest).distinct()).scalars())


def _uses(connection: Connection, wanted: WantedSlice) -> Uses:
    versions: dict[tuple[str, str], str] = {}
    for (name, version), reason in _versions(connection, wanted):
        versions.setdefault((name, version), reason)
    digests: dict[str, str] = {}
    if (root := wanted.limits.root_package) is not None:
        digests[root[0]] = "the root file system of the slice"
    for name, one in wanted.applications.items():
        for release in (one.release, *in_use(wanted, name)):
            for package in release.packages:
                digests.setdefault(package.digest, f"in use by {name}")
    return Uses(digests, versions)


def _versions(connection: Connection, wanted: WantedSlice) -> Iterator[tuple[tuple[str, str], str]]:
    # Also of applications that still wait for a package, which are not wanted yet.
    for row in connection.execute(select(APPLICATIONS).where(APPLICATIONS.c.slice == wanted.name)):
        yield (row.application, row.version), f"wanted as {row.application}"
    for one in wanted.placements:
        yield (one.application, one.version), f"placed as {one.application}"
    for name, rollout in wanted.rollouts.items():
        yield (name, rollout.after.version), f"in the last roll-out of {name}"
        yield (name, version_of(rollout.before)), "the version to go back to"
        for release in rollout.others:
            yield (name, release.version), f"in the last roll-out of {name}"


def sized(packages: tuple[Package, ...]) -> int:
    """The bytes of packages, each content once."""
    return sum({one.digest: one.size for one in packages}.values())
