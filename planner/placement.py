"""Placement: where a slice's slivers and applications should be, decided from its plan and from what is seen.

Verbs of people about applications (start, stop, restart, update, uninstall) come in through `turn`, which
changes the placements and their generation; a round only adds and removes.
"""

from __future__ import annotations

from collections.abc import Collection

from dsmt_core.commands import Verb
from dsmt_core.names import Application, Host
from dsmt_core.packages import PackageRef
from planner.fleet import Fleet
from planner.plans import World
from planner.wanted import Wanted, WantedSlice


def world_of(slice_: WantedSlice, seen: Fleet) -> World:
    """The hosts as the plans of a slice see them."""
    raise NotImplementedError


def turn(
    slice_: WantedSlice,
    application: Application,
    verb: Verb,
    *,
    hosts: Collection[Host] = (),
    version: tuple[str, tuple[PackageRef, ...]] | None = None,
) -> WantedSlice:
    """What a verb of a person makes of a slice, to be committed; its generation is raised if it changes.

    START, APPCONFIG: run; STOP: do not; RESTART: one restart more, and run; UPDATE: this version, the rest as it
    is; UNINSTALL: the application is no longer wanted in the slice.

    Args:
        slice_: as committed.
        application: of the slice.
        verb: one of `dsmt_core.commands.FOR_APPLICATIONS`.
        hosts: only these, which must have the application; none: everywhere, and where it comes later.
        version: for UPDATE: the wrapper's version and what to install for it, in order.

    Raises:
        NotFound: the slice has no such application, or a host has no placement of it.
        Invalid: UPDATE without a version, or UNINSTALL or UPDATE for some hosts only (the plan decides where an
            application is, and one slice has one set of packages for it).
    """
    raise NotImplementedError


def unproven(wanted: Wanted, seen: Fleet) -> frozenset[Host]:
    """The nodes on probation that may not end it: what they hold is not heard yet, or was moved away.

    For `planner.failed_nodes.FailedNodes.tick`: so a node that comes back is counted as one of the living only
    when it has given up what runs elsewhere by now.
    """
    raise NotImplementedError
