"""The outlook of plans: the fleet as a `World`, for one slice or for none.

To a plan a node that is out of service is not there. Under a cordon only the slice's own members stay: they
are kept, and nobody joins.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

import numpy as np

from dsmt_core.names import Host
from planner.abilities import unfit
from planner.fleet import NODE, Fleet
from planner.plans import ALIVE, Barred, World, trust_of
from planner.standing import NO_BARS, Bars, Kind
from planner.wanted import WantedSlice

# What ends by itself, or by a person's next word: a service is measured against what it is without it.
_FOR_A_WHILE = frozenset({Kind.CORDONED, Kind.DRAINING, Kind.MAINTENANCE})


def world_of(slice_: WantedSlice, seen: Fleet, bars: Bars = NO_BARS) -> World:
    """The hosts as the plans of a slice see them.

    A host of the slice that is not known is there all the same: unknown is not false. Only a person who
    has it forgotten takes it away.

    Args:
        slice_: whose members are kept where they can be.
        seen: as folded.
        bars: who is out of service.
    """
    strangers = slice_.hosts.keys() - seen.hosts.keys() - seen.forgotten
    misfits = {**unfit(slice_, seen), **seen.fits(slice_.name).out}
    everybody = world_of_nobody(seen, strangers, misfits=misfits.keys())
    members = slice_.hosts.keys() - seen.forgotten
    return replace(
        everybody,
        slice=slice_.name,
        members=everybody.ground.mask(members),
        states=partial(seen.in_state, slice_.name),
        misfits=misfits,
        barred=_barred(everybody, bars, members),
    )


def world_in_order(slice_: WantedSlice, seen: Fleet, bars: Bars = NO_BARS) -> World:
    """The same as if every node were well, and in service but for those that are excluded for good."""
    lasting = {host: bar for host, bar in bars.items() if bar.kind not in _FOR_A_WHILE}
    world = world_of(slice_, seen, lasting)
    return replace(world, trust=np.full(len(world.ground), ALIVE, dtype=np.int8))


def world_of_nobody(
    seen: Fleet, strangers: AbstractSet[Host] = frozenset(), *, misfits: AbstractSet[Host] = frozenset()
) -> World:
    """The hosts as they are whatever the slice.

    Args:
        seen: as folded.
        strangers: hosts that are not known, and there all the same.
        misfits: hosts that are as good as failed.
    """
    ground = seen.ground.with_hosts(strangers) if strangers else seen.ground
    trust = trust_of(ground, seen.back_or_failed() | misfits, seen.doubtful() | strangers)
    return World(slice=NODE, ground=ground, trust=trust, members=ground.mask(()))


def _barred(world: World, bars: Bars, members: AbstractSet[Host]) -> Barred | None:
    out = [host for host, bar in bars.items() if bar.leaves or host not in members]
    if not out:
        return None
    return Barred(world.ground.mask(out), lambda host: bars[host].sentence)
