"""The steps of all roll-outs of a slice in one round.

The disruption budget is the slice's (`planner.disruption`), and shared: what one application's roll-out
takes is not there for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from dsmt_core.names import Application, Host
from planner.disruption import Disruption
from planner.fleet import Fleet
from planner.release import Release, ReleaseName
from planner.rollout.advance import Step, advance, unproven
from planner.rollout.judging import Time
from planner.rollout.looks import Look, look
from planner.rollout.order import in_order
from planner.rollout.rollout import Phase, Rollout
from planner.steps import Waiting, released
from planner.wanted import NO_PLAN, WantedApplication, WantedSlice

_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Steps:
    """What the roll-outs of a slice change in one round.

    Attributes:
        rollouts: those that changed.
        releases: what applications that are done have from now on.
        targets: which release each host should have, by name and application; others have the slice's.
        waiting: what is held back, and why.
        again_at: when to look again without any news, seconds.
    """

    rollouts: Mapping[Application, Rollout] = field(default_factory=dict)
    releases: Mapping[Application, Release] = field(default_factory=dict)
    targets: Mapping[Application, Mapping[Host, ReleaseName]] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    again_at: float = _NEVER

    def applied(self, slice_: WantedSlice) -> WantedSlice:
        """The slice with what they change, before its hosts are settled."""
        if not (self.rollouts or self.releases):
            return slice_
        return released(replace(slice_, rollouts={**slice_.rollouts, **self.rollouts}), self.releases)


def rollout_steps(
    disruption: Disruption, hosts: AbstractSet[Host], *, leaving: int = 0, time: Time
) -> Steps:
    """The next step of each roll-out of a slice.

    Args:
        disruption: of the slice as committed.
        hosts: where its slivers are after this round.
        leaving: how many running instances this round takes down already.
        time: now.
    """
    slice_, seen = disruption.slice, disruption.seen
    known = {name: one for name, one in slice_.rollouts.items() if name in slice_.applications}
    if not known:
        return Steps()
    rollouts: dict[Application, Rollout] = {}
    releases: dict[Application, Release] = {}
    targets: dict[Application, Mapping[Host, ReleaseName]] = {}
    waiting: list[Waiting] = []
    spent, again_at = leaving, _NEVER
    for name in sorted(known):
        wanted, before = slice_.applications[name], known[name]
        looks = looks_of(slice_, seen, hosts, name)
        if not before.is_active and _is_even(looks, wanted.release.name):
            continue
        if not looks and slice_.plan == NO_PLAN and before.phase is Phase.RUNNING:
            step = unproven(before, time)
        else:
            left = disruption.allowance - spent
            step = advance(before, looks, goal=wanted.release.name, allowance=left, time=time)
        spent, again_at = spent + step.spent, min(again_at, step.again_at)
        targets[name] = step.targets
        if step.rollout != before:
            rollouts[name] = _kept(step, before, wanted)
        if step.rollout.phase is Phase.DONE and before.is_active:
            releases[name] = step.rollout.after
        if step.waits:
            reason = f"the roll-out waits: {step.waits}"
            waiting.append(Waiting(slice=slice_.name, application=name, reason=reason))
    return Steps(rollouts, releases, targets, tuple(waiting), again_at)


def looks_of(
    slice_: WantedSlice, seen: Fleet, hosts: AbstractSet[Host], application: Application
) -> list[Look]:
    """How each of these hosts is, in the order of a roll-out."""
    placed = {
        one.host: one
        for one in slice_.placements
        if one.application == application and one.host in slice_.hosts
    }
    ordered = in_order(slice_.name, application, hosts)
    return [look(slice_, seen, host, placed.get(host)) for host in ordered]


def _kept(step: Step, before: Rollout, wanted: WantedApplication) -> Rollout:
    """The roll-out, with the release that the slice had where hosts may still have it."""
    if step.rollout.phase is not Phase.DONE or before.phase is Phase.DONE:
        return step.rollout
    return replace(step.rollout, others=(*before.others, wanted.release))


def _is_even(looks: Sequence[Look], release: ReleaseName) -> bool:
    """Whether every host has the slice's release already, so that nothing is left to do."""
    return all(one.release in {release, ""} for one in looks)
