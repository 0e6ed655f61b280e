"""Disruption: how many instances of a slice may be taken down now without breaking its budget.

The one place that says so. Whoever takes down what runs, without people having asked for this very stop,
asks here first: drains, moves of the planner, roll-outs. What is not up already counts, whatever the cause
is, so that failures and drains together keep the budget. Only what is known to be up counts as up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from dsmt_core.errors import DsmtError
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from planner.allotment import NO_ALLOTMENT, Allotment
from planner.fleet import Fleet, NodeState, SliverSeen
from planner.outlook import world_in_order
from planner.plans import select
from planner.standing import NO_BARS, NO_STANDINGS, Bar, Bars, Kind, Mark, Standings, bars_at
from planner.wanted import NO_PLAN, Placement, Run, WantedSlice


class Health(Enum):
    """How an instance of a slice is: all that a host is to run of it.

    Attributes:
        UP: it runs as it was ordered, as heard since the planner began to listen.
        STARTING: it is known not to run, and may come by itself.
        FAILED: it, or its node, has failed.
        UNSURE: nothing certain is known, or an order is under way.
    """

    UP = auto()
    STARTING = auto()
    FAILED = auto()
    UNSURE = auto()


def allowance(slice_: WantedSlice, seen: Fleet, now: float, *, standings: Standings = NO_STANDINGS) -> int:
    """How many instances that are up may be taken down now; never below 0.

    Args:
        slice_: as committed.
        seen: as folded.
        now: seconds of the clock of ``seen``; at this moment the standings hold.
        standings: what people want of nodes.
    """
    return Disruption(slice_, seen, bars_at(standings, now)).allowance


@dataclass(frozen=True)
class Disruption:
    """How a slice stands to its budget.

    Attributes:
        slice: as committed.
        seen: as folded.
        bars: who is out of service.
        allotted: what its quotas allow.
    """

    slice: WantedSlice
    seen: Fleet
    bars: Bars = field(default_factory=lambda: NO_BARS)
    allotted: Allotment = NO_ALLOTMENT

    @cached_property
    def wanted(self) -> int:
        """How many instances there would be if every node were well and in service."""
        chosen = self._in_order(self.bars)
        here = self.slice.hosts.keys() & {*chosen}
        admitted = self.allotted.admit(here, [host for host in chosen if host not in here])
        return len(chosen) - admitted.held

    @property
    def least(self) -> int:
        """How many have to be up."""
        return self.slice.budget.least(self.wanted)

    @cached_property
    def healths(self) -> dict[Host, Health]:
        """How the slice is on each of its hosts."""
        placed: dict[Host, list[Placement]] = {host: [] for host in self.slice.hosts}
        for placement in self.slice.placements:
            placed.setdefault(placement.host, []).append(placement)
        return {host: _health(self.slice, self.seen, host, placed[host]) for host in self.slice.hosts}

    @cached_property
    def up(self) -> int:
        """How many are up."""
        return sum(health is Health.UP for health in self.healths.values())

    @property
    def allowance(self) -> int:
        """How many of those that are up may be taken down."""
        return max(self.up - self.least, 0)

    @property
    def contradiction(self) -> str:
        """Why the budget leaves no room even when all is well; empty when it does."""
        if self.least > self.wanted:
            return f"at least {self.least} must run, and the plan has only {self.wanted}"
        if 0 < self.least == self.wanted and not self._has_spare():
            return f"all {self.wanted} must run, and the plan has no other node to give"
        return ""

    def _has_spare(self) -> bool:
        """Whether the plan would give another node for one that is lost."""
        chosen = self._in_order(self.bars)
        lost = Bar(kind=Kind.EXCLUDED, mark=Mark(by="", since=0.0))
        return len(self._in_order({**self.bars, chosen[0]: lost})) == len(chosen)

    def _in_order(self, bars: Bars) -> Sequence[Host]:
        slice_ = self.slice
        if slice_.plan == NO_PLAN:
            return sorted(slice_.hosts)
        world = world_in_order(slice_, self.seen, bars)
        try:
            return select(slice_.plan, slice_.plan_parameters, slice_.plans, world).hosts
        except DsmtError:
            return sorted(slice_.hosts)


def _health(slice_: WantedSlice, seen: Fleet, host: Host, placed: list[Placement]) -> Health:
    node, state = seen.node(host), seen.state(host)
    if state is NodeState.FAILED or state is NodeState.PROBATION:
        return Health.FAILED
    if node is None or state is not NodeState.ALIVE:
        return Health.UNSURE
    # A node that is alive has confirmed by a digest what it holds, unless the digest differs.
    if node.slivers is None or node.differs_since is not None:
        return Health.UNSURE
    if slice_.name not in node.slivers:
        return Health.STARTING
    if node.slivers[slice_.name] != slice_.hosts[host]:
        return Health.UNSURE
    return _sliver(seen.sliver(slice_.name, host), placed)


def _sliver(sliver: SliverSeen | None, placed: list[Placement]) -> Health:
    if sliver is None or not (sliver.agent_ready and sliver.fresh):
        # An agent that comes up again, or has not spoken yet, may find what runs, and lets it run.
        return Health.UNSURE
    if not placed:
        return Health.FAILED if sliver.agent.state is State.FAILED else Health.UP
    found = [_application(sliver, one) for one in placed if one.run is Run.RUNNING]
    # The worst decides; what people have stopped is as it should be.
    for worst in (Health.UNSURE, Health.FAILED, Health.STARTING):
        if worst in found:
            return worst
    return Health.UP


def _application(sliver: SliverSeen, placement: Placement) -> Health:
    heard = sliver.applications.get(placement.application)
    if heard is None:
        return Health.STARTING
    if heard.generation != placement.generation:
        return Health.UNSURE
    if heard.state is State.FAILED:
        return Health.FAILED
    if heard.state is not State.RUNNING:
        return Health.STARTING
    # The order is known, and what runs is still what ran before it.
    same = heard.version == placement.version and heard.configuration == placement.configuration
    return Health.UP if same else Health.UNSURE
