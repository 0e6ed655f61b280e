"""Which releases of an application are in use: while a roll-out is on, hosts have different ones."""

from __future__ import annotations

from collections.abc import Iterator

from dsmt_core.names import Application
from planner.release import Release, ReleaseName
from planner.wanted import WantedSlice


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


def _known(slice_: WantedSlice, application: Application) -> Iterator[Release]:
    wanted = slice_.applications[application]
    yield wanted.release
    rollout = slice_.rollouts.get(application)
    if rollout is not None:
        yield rollout.after
        yield from rollout.others
