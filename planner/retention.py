"""Which packages of a slice's depot nobody needs any more.

What is wanted, placed, in a roll-out, or the version to go back to is never removed, with all that it
requires; nor are the newest versions of each package, nor what was put lately. Everything else may go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

from dsmt_core.errors import Invalid
from planner.requirements import Package, resolve
from planner.versions import compare, key

KEEP: Final = 3
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Retention:
    """What stays although nothing uses it.

    Attributes:
        keep: so many of the newest versions of each package, by its name; at least one.
        older_than: whatever was put within this time, seconds.
    """

    keep: int = KEEP
    older_than: float = 0.0

    @classmethod
    def of(cls, keep: int, older_than: float) -> Retention:
        """Checked.

        Raises:
            Invalid: a number is out of bounds.
        """
        if not 1 <= keep <= _MOST:
            raise Invalid(f"{keep} is not a number of versions to keep", hint=f"from 1 to {_MOST}")
        if not 0 <= older_than < float("inf"):
            raise Invalid(f"{older_than} is not an age in seconds", hint="0 or more")
        return cls(keep, older_than)


@dataclass(frozen=True, slots=True)
class Uses:
    """What a slice needs of its depot.

    Attributes:
        digests: of the packages that orders name, with the reason.
        versions: of applications that are placed or may come back, with the reason.
    """

    digests: Mapping[str, str]
    versions: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What may go, and of what stays why; both by file name."""

    gone: tuple[Package, ...]
    kept: Mapping[str, str]


def sort(depot: Sequence[Package], uses: Uses, retention: Retention, *, now: float) -> Sorted:
    """Sort the packages of a slice.

    Args:
        depot: all of them.
        uses: what the slice needs.
        retention: what stays besides.
        now: seconds since the epoch.
    """
    kept: dict[str, str] = {}
    for package in depot:
        if reason := _use(package, uses):
            kept[package.filename] = reason
    for package in _back(depot, kept):
        kept.setdefault(package.filename, "the version to go back to")
    for package in _newest(depot, retention.keep):
        kept.setdefault(package.filename, f"among the {retention.keep} newest versions")
    for package in depot:
        if package.put_at > now - retention.older_than:
            kept.setdefault(package.filename, "put lately")
    _with_requirements(depot, kept)
    return Sorted(tuple(one for one in depot if one.filename not in kept), kept)


def _use(package: Package, uses: Uses) -> str:
    if reason := uses.digests.get(package.digest):
        return reason
    return uses.versions.get((package.application, package.version), "") if package.application else ""


def _back(depot: Sequence[Package], used: Mapping[str, str]) -> Iterable[Package]:
    """Of each application that is used, the scripts of the version below the lowest that is used."""
    of_application: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for one in depot:
        if one.application:
            of_application[one.application, one.kind].append(one)
    for (_, kind), packages in of_application.items():
        packages.sort(key=_order(kind))
        lowest = next((at for at, one in enumerate(packages) if one.filename in used), 0)
        below = [
            one for one in packages[:lowest] if compare(kind, one.version, packages[lowest].version) < 0
        ]
        yield from below[-1:]


def _newest(depot: Sequence[Package], count: int) -> Iterable[Package]:
    by_name: dict[tuple[str, str, str], list[Package]] = defaultdict(list)
    for one in depot:
        by_name[one.name, one.arch, one.kind].append(one)
    for (_, _, kind), packages in by_name.items():
        packages.sort(key=_order(kind), reverse=True)
        alike = groupby(packages, key=_order(kind))
        for _, same in islice(alike, count):
            yield from same


def _order(kind: str) -> Callable[[Package], Any]:
    of_version = key(kind)
    return lambda package: of_version(package.version)


def _with_requirements(depot: Sequence[Package], kept: dict[str, str]) -> None:
    """What carries an application's scripts and stays would be useless without what it requires."""
    for one in depot:
        if one.application and one.filename in kept:
            for needed in resolve(one, depot).packages:
                kept.setdefault(needed.filename, f"required by {one.filename}")
