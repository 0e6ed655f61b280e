"""Steps: what is missing between wanted and seen, complete, with no choices left to whoever acts.

The service commits the changes of a round in one transaction, then declares the queues, then sends the
orders. What is held back comes with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dsmt_core.commands import Order
from dsmt_core.names import Application, Host, Slice
from planner.restraint import Restraint
from planner.rollout import Release, Rollout
from planner.wanted import Placement, WantedSlice


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceChange:
    """What one round changes in one slice; hosts, retired and placements replace those of wanted, whole.

    Attributes:
        rollouts: those that took a step, as they are now.
        releases: what applications have from now on whose roll-out is done.
        restraint: the new one; None: it stays.
    """

    slice: Slice
    generation: int
    hosts: Mapping[Host, int]
    retired: Mapping[Host, int]
    placements: tuple[Placement, ...]
    rollouts: Mapping[Application, Rollout] = field(default_factory=dict)
    releases: Mapping[Application, Release] = field(default_factory=dict)
    restraint: Restraint | None = None

    def applied(self, slice_: WantedSlice) -> WantedSlice:
        """``slice_`` with this change."""
        return replace(
            released(slice_, self.releases),
            generation=self.generation,
            hosts=self.hosts,
            retired=self.retired,
            placements=self.placements,
            rollouts={**slice_.rollouts, **self.rollouts},
            restraint=self.restraint or slice_.restraint,
        )


def released(slice_: WantedSlice, releases: Mapping[Application, Release]) -> WantedSlice:
    """``slice_`` with its applications at these releases."""
    if not releases:
        return slice_
    changed = {
        name: slice_.applications[name].at(one)
        for name, one in releases.items()
        if name in slice_.applications
    }
    return replace(slice_, applications={**slice_.applications, **changed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that is wanted and held back; host and application are empty when it concerns all.

    Attributes:
        to_agree: it goes when people agree (`planner.restraint`).
    """

    slice: Slice
    reason: str
    host: Host = Host("")  # noqa: RUF009 - a NewType is a plain str
    application: Application = Application("")  # noqa: RUF009
    to_agree: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The result of one round.

    Attributes:
        changes: to be committed first.
        agent_queues: queues that must exist before the orders go out.
        gone_queues: queues of agents whose sliver is confirmed gone.
        orders: to be sent after the commit, in this order.
        waiting: what is held back, and why.
        looked_at: the slices that this round looked at; what it says of them replaces what was said before.
        partly: of these slices only so many hosts were looked at; what was said of the others, and of the
            slice itself, stands.
        again_at: when the next round is due without any news, seconds of the clock that was passed in.
    """

    changes: tuple[SliceChange, ...] = ()
    agent_queues: tuple[tuple[Slice, Host], ...] = ()
    gone_queues: tuple[tuple[Slice, Host], ...] = ()
    orders: tuple[Order, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    looked_at: frozenset[Slice] = frozenset()
    partly: Mapping[Slice, frozenset[Host]] = field(default_factory=dict)
    again_at: float = float("inf")
