"""Worlds of few hosts, named one by one; the plans themselves see columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dsmt_core.names import Host
from planner.plans import Ground, Mask, World, trust_of
from planner.plans.world import States
from tests.unit.planner.toy import SLICE

Facts = Mapping[Host, Mapping[str, str]]


def world_of(  # noqa: PLR0913 - each is a wish of some test
    hosts: Iterable[Host],
    *,
    failed: Iterable[Host] = (),
    doubtful: Iterable[Host] = (),
    members: Iterable[Host] = (),
    facts: Facts | None = None,
    states: States = lambda _doing: (),
) -> World:
    ground = Ground.of({host: (facts or {}).get(host, {}) for host in hosts})
    return World(
        slice=SLICE,
        ground=ground,
        trust=trust_of(ground, failed, doubtful),
        members=ground.mask(members),
        states=states,
    )


def named(world: World, mask: Mask | None = None) -> frozenset[Host]:
    """The hosts of a world, or those for which a column is true."""
    return frozenset(world.ground.hosts if mask is None else world.ground.those(mask))
