"""Whose packages a slice takes, and which of its own are signed by them. Pure.

Rule: what is not signed is not begun: no plan, no start, no update, no agent with it, and no order to a
host that has it not. What a host has already goes on, and may be stopped and taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsmt_core.errors import Denied
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import ANYBODY, PackageSignature, Vouching
from dsmt_core.several import several
from planner.wanted import Run, WantedSlice

_NAMED = 3


def vouching(slice_: WantedSlice, packages: Iterable[PackageRef]) -> Vouching:
    """What an order about these packages says of their publishers."""
    if slice_.publishers is None:
        return ANYBODY
    found = [slice_.signed[one.digest] for one in packages if one.digest in slice_.signed]
    return Vouching(frozenset(slice_.publishers.keys.values()), tuple(found))


def why_not(slice_: WantedSlice, packages: Iterable[PackageRef]) -> str:
    """Why these packages may not be begun to be used; empty when they may be."""
    lacking = unsigned(slice_, packages)
    if not lacking:
        return ""
    assert slice_.publishers is not None  # noqa: S101 - else nothing is lacking
    names = several(lacking, _NAMED)
    whom = " or ".join(sorted(slice_.publishers.keys))
    wants = f"wants packages signed by {whom}" if whom else "takes no new packages: it has no publisher"
    return f"{names} {'is' if len(lacking) == 1 else 'are'} not signed, and the slice {slice_.name} {wants}"


def check(slice_: WantedSlice, packages: Iterable[PackageRef]) -> None:
    """Refuse to begin to use packages that are not signed by a publisher of the slice.

    Raises:
        Denied: it says which, whose key is wanted, and how to sign.
    """
    if why := why_not(slice_, packages):
        raise Denied(
            why,
            hint="dsmtc depot sign FILE --sign KEYFILE signs them; dsmtc publishers tells whose keys count",
        )


def check_all(slice_: WantedSlice) -> None:
    """Refuse to bring to further hosts what is not signed: what runs, the agent, the root file system.

    Raises:
        Denied: as `check`.
    """
    check(slice_, of_sliver(slice_))
    for one in slice_.applications.values():
        if one.run is Run.RUNNING:
            check(slice_, one.packages)


def of_sliver(slice_: WantedSlice) -> tuple[PackageRef, ...]:
    """The packages that each sliver needs before any application."""
    return tuple(_of_sliver(slice_))


def all_lacking(slice_: WantedSlice) -> dict[str, list[str]]:
    """What of a slice is not signed, by what it is of: file names by application, or of the sliver."""
    of = {"the sliver": of_sliver(slice_)} | {
        str(name): one.packages for name, one in sorted(slice_.applications.items())
    }
    found = {name: unsigned(slice_, packages) for name, packages in of.items()}
    return {name: lacking for name, lacking in found.items() if lacking}


def unsigned(slice_: WantedSlice, packages: Iterable[PackageRef]) -> list[str]:
    """The file names of those that must be signed, and are not."""
    if slice_.publishers is None:
        return []
    return [one.filename for one in packages if one.digest not in slice_.signed]


def chosen(slice_: WantedSlice, signatures: Iterable[PackageSignature]) -> dict[str, PackageSignature]:
    """Of each digest one signature by a publisher of the slice."""
    if slice_.publishers is None:
        return {}
    keys = frozenset(slice_.publishers.keys.values())
    return {one.about.digest: one for one in signatures if one.key in keys}


def _of_sliver(slice_: WantedSlice) -> Iterator[PackageRef]:
    if slice_.agent_package is not None:
        yield slice_.agent_package.package
    if (root := slice_.limits.root_package) is not None:
        yield PackageRef(*root, f"the root file system {slice_.limits.root_shown}")
