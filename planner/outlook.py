"""The outlook of plans: the fleet as a `World`, for one slice or for none."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

from dsmt_core.names import Host
from planner.fleet import NODE, Fleet
from planner.plans import World, trust_of
from planner.wanted import WantedSlice


def world_of(slice_: WantedSlice, seen: Fleet) -> World:
    """The hosts as the plans of a slice see them.

    A host of the slice that is not known is there all the same: unknown is not false. Only a person who
    has it forgotten takes it away.
    """
    strangers = slice_.hosts.keys() - seen.hosts.keys() - seen.forgotten
    everybody = world_of_nobody(seen, strangers)
    return replace(
        everybody,
        slice=slice_.name,
        members=everybody.ground.mask(slice_.hosts.keys() - seen.forgotten),
        states=partial(seen.in_state, slice_.name),
    )


def world_of_nobody(seen: Fleet, strangers: AbstractSet[Host] = frozenset()) -> World:
    """The hosts as they are whatever the slice; ``strangers`` are not known, and there all the same."""
    ground = seen.ground.with_hosts(strangers) if strangers else seen.ground
    trust = trust_of(ground, seen.back_or_failed(), seen.doubtful() | strangers)
    return World(slice=NODE, ground=ground, trust=trust, members=ground.mask(()))
