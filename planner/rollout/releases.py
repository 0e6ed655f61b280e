"""Which releases of an application are in use: while a roll-out is on, hosts have different ones."""

from __future__ import annotations

from collections.abc import Iterator

from dsmt_core.names import Application, Host
from dsmt_core.secrets import referred_by
from planner.release import Release, ReleaseName
from planner.wanted import Placement, Run, WantedSlice


def release_of(slice_: WantedSlice, application: Application, name: ReleaseName) -> Release:
    """The release of this name; the slice's when it is not known any more."""
    known = list(_known(slice_, application))
    return next((one for one in known if one.name == name), known[0])


def in_use(slice_: WantedSlice, application: Application) -> list[Release]:
    """The releases that hosts of the slice have, or may be told: the slice's own first."""
    placed = {one.release for one in slice_.placements if one.application == application}
    own, *rest = _known(slice_, application)
    rollout = slice_.rollouts.get(application)
    active = rollout is not None and rollout.is_active
    return [own, *(one for one in rest if active or one.name in placed)]


def needed(slice_: WantedSlice, host: Host) -> frozenset[str]:
    """The ids of the contents of secrets that this host may have to start what is placed on it.

    That is what its releases name, and those before, which an agent goes back to by itself. What a
    roll-out brings is not told before the roll-out has come to the host.
    """
    placed = [one for one in slice_.placements if one.host == host and one.run is Run.RUNNING]
    releases = [
        release
        for one in placed
        if one.application in slice_.applications
        for release in _told(slice_, one)
    ]
    return frozenset(id_ for one in releases for id_ in referred_by(one.configuration).values())


def _told(slice_: WantedSlice, placed: Placement) -> list[Release]:
    """The release of a placement, and those before it."""
    rollout = slice_.rollouts.get(placed.application)
    coming = rollout.after.name if rollout is not None and rollout.is_active else None
    known = in_use(slice_, placed.application)
    return [one for one in known if one.name == placed.release or one.name != coming]


def _known(slice_: WantedSlice, application: Application) -> Iterator[Release]:
    wanted = slice_.applications[application]
    yield wanted.release
    rollout = slice_.rollouts.get(application)
    if rollout is not None:
        yield rollout.after
        yield from rollout.others
