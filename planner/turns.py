"""Turns: what a verb of a person (start, stop, restart, update, uninstall) makes of a slice.

A verb changes wanted, never a node: it is committed, and the next round orders what is missing. It raises
the generation of what it changes, so that no order from before can undo it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import Application, Host
from dsmt_core.packages import PackageRef
from dsmt_core.watch import Watch
from planner.release import Release
from planner.rollout import Phase
from planner.rollout.advance import ended
from planner.rollout.turns import busy
from planner.wanted import Placement, Run, WantedApplication, WantedSlice

Version = tuple[str, tuple[PackageRef, ...]]


def turn(
    slice_: WantedSlice,
    application: Application,
    verb: Verb,
    *,
    hosts: Collection[Host] = (),
    version: Version | None = None,
) -> WantedSlice:
    """What a verb of a person makes of a slice; its generation is raised if placements change.

    START, APPCONFIG: run. STOP: do not. RESTART: one restart more, and run. UPDATE: this version, the rest
    as it is, its configuration too. UNINSTALL: the application is no longer wanted in the slice.

    Args:
        slice_: as committed.
        application: of the slice.
        verb: one of `dsmt_core.commands.FOR_APPLICATIONS`.
        hosts: only these, which must have the application; none: everywhere, and where it comes later.
        version: for UPDATE: the wrapper's version and what to install for it, in order.

    Raises:
        NotFound: the slice has no such application, or a host has no placement of it.
        Invalid: UPDATE without a version; UPDATE or UNINSTALL for some hosts only, for a slice has one
            version of an application, and the plan decides where it is.
        Conflict: UPDATE while a roll-out of the application is on.
    """
    wanted = wanted_of(slice_, application)
    _check_hosts(slice_, application, verb, hosts)
    rollout = slice_.rollouts.get(application)
    if verb is Verb.UPDATE and rollout is not None and rollout.is_active:
        raise busy(rollout, application)
    if verb is Verb.UNINSTALL:
        return _uninstalled(slice_, application)
    if verb is Verb.UPDATE:
        return _updated(slice_, wanted, version)
    return _run(slice_, wanted, verb, frozenset(hosts))


def watched(slice_: WantedSlice, application: Application, watch: Watch) -> WantedSlice:
    """The slice with another watch of an application: every host is ordered it anew, and restarts nothing.

    Raises:
        NotFound: the slice has no such application.
    """
    wanted = wanted_of(slice_, application)
    if wanted.watch == watch:
        return slice_
    generation = slice_.generation + 1
    placements = tuple(
        replace(one, generation=generation) if one.application == application else one
        for one in slice_.placements
    )
    applications = {**slice_.applications, application: replace(wanted, watch=watch)}
    return replace(slice_, applications=applications, placements=placements, generation=generation)


def wanted_of(slice_: WantedSlice, application: Application) -> WantedApplication:
    """What is wanted of an application.

    Raises:
        NotFound: the slice has no such application.
    """
    wanted = slice_.applications.get(application)
    if wanted is None:
        there = ", ".join(sorted(slice_.applications)) or "none"
        raise NotFound(
            f"the slice {slice_.name} has no application {application}", hint=f"there are: {there}"
        )
    return wanted


def _check_hosts(
    slice_: WantedSlice, application: Application, verb: Verb, hosts: Collection[Host]
) -> None:
    if hosts and verb in {Verb.UPDATE, Verb.UNINSTALL}:
        raise Invalid(
            f"{verb.lower()} is for all hosts of a slice", hint="the plan decides where an application is"
        )
    placed = {placement.host for placement in slice_.placements if placement.application == application}
    for host in hosts:
        if host not in placed:
            raise NotFound(f"{application} of {slice_.name} is not placed on {host}")


def _uninstalled(slice_: WantedSlice, application: Application) -> WantedSlice:
    applications = {name: other for name, other in slice_.applications.items() if name != application}
    kept = tuple(placement for placement in slice_.placements if placement.application != application)
    generation = slice_.generation + 1
    after = replace(slice_, applications=applications, placements=kept, generation=generation)
    rollout = slice_.rollouts.get(application)
    if rollout is None or not rollout.is_active:
        return after
    end = ended(rollout, Phase.ABORTED, f"{application} was uninstalled")
    return replace(after, rollouts={**slice_.rollouts, application: end})


def _updated(slice_: WantedSlice, wanted: WantedApplication, version: Version | None) -> WantedSlice:
    if version is None:
        raise Invalid(f"no version of {wanted.name} to update to was found")
    updated = wanted.at(Release(*version, wanted.configuration))
    name = updated.release.name
    return _placed_anew(slice_, updated, lambda placement: placement.at(name))


def _run(slice_: WantedSlice, wanted: WantedApplication, verb: Verb, hosts: frozenset[Host]) -> WantedSlice:
    mine = [placement for placement in slice_.placements if placement.application == wanted.name]
    # One number above all, so that a restart everywhere also restarts where it was done alone before.
    restarts = max([wanted.restarts, *(placement.restarts for placement in mine)]) + 1

    def turned(placement: Placement) -> Placement:
        if hosts and placement.host not in hosts:
            return placement
        count = restarts if verb is Verb.RESTART else placement.restarts
        return replace(placement, run=_RUN[verb], restarts=count)

    if not hosts:
        wanted = replace(
            wanted, run=_RUN[verb], restarts=restarts if verb is Verb.RESTART else wanted.restarts
        )
    return _placed_anew(slice_, wanted, turned)


def _placed_anew(
    slice_: WantedSlice, wanted: WantedApplication, change: Callable[[Placement], Placement]
) -> WantedSlice:
    """The slice with its application and changed placements; what changes gets the next generation."""
    generation = slice_.generation + 1
    placements: list[Placement] = []
    for placement in slice_.placements:
        changed = change(placement) if placement.application == wanted.name else placement
        placements.append(placement if changed == placement else replace(changed, generation=generation))
    return replace(
        slice_,
        applications={**slice_.applications, wanted.name: wanted},
        placements=tuple(placements),
        generation=slice_.generation if tuple(placements) == slice_.placements else generation,
    )


_RUN: Final = MappingProxyType(
    {
        Verb.APPCONFIG: Run.RUNNING,
        Verb.START: Run.RUNNING,
        Verb.RESTART: Run.RUNNING,
        Verb.STOP: Run.STOPPED,
    }
)
