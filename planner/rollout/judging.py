"""Which of the hosts that were told have proved well, which have failed, and which need not be waited for.

Well: its instance has run at the release it was told for the minimum healthy time. Failed: it has stayed
failed for longer than an agent takes for its own attempts, or its deadline has passed. A host that left the
slice, or whose node failed, is neither: that is not the release's doing. No deadline runs while the planner
does not listen: who could not be heard has not kept silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from dsmt_core.names import Host
from planner.rollout.looks import Being, Look
from planner.rollout.rollout import Phase, Rollout

LASTING_S: Final = 5.0
"""An agent tries again after 0.5, 1, 2 and 4 s; what stays failed for longer has failed for good."""
_KEPT: Final = 1_000
"""Of so many failed hosts the names are kept: with as many, any roll-out is on its way back."""


@dataclass(frozen=True, slots=True)
class Time:
    """What time it is, and since when the planner listens without a gap; seconds since the epoch."""

    now: float
    listening_since: float = 0.0

    def waited(self, since: float) -> float:
        """For how many seconds something that was to come has not, as far as the planner can tell."""
        return self.now - max(self.past(since), self.listening_since)

    def past(self, at: float) -> float:
        """``at``; when the clock was set back since, the time from which it can be counted again."""
        return at if at <= self.now else min(self.listening_since, self.now)


def judged(rollout: Rollout, looks: Mapping[Host, Look], time: Time) -> Rollout:
    """The roll-out after its hosts were looked at.

    Args:
        rollout: as committed.
        looks: of every host of the slice.
        time: now.
    """
    now = time.now
    told: dict[Host, float] = {}
    failed = dict(rollout.failed)
    well, ill = rollout.well, rollout.ill
    goal = rollout.before if rollout.phase is Phase.RETURNING else rollout.after.name
    for host, since in rollout.told.items():
        # A time in the future would never come to its deadline.
        at, look = time.past(since), looks.get(host)
        if look is None or not look.is_living or look.release != goal:
            continue
        if proved_at(rollout, look, at, time) <= now:
            well += 1
        elif why := _failure(rollout, look, at, time):
            ill += 1
            if rollout.phase is not Phase.RETURNING:
                failed.setdefault(host, why)
        else:
            told[host] = at
    failed |= _failed_later(rollout, looks, told, time)
    if len(failed) > _KEPT:
        failed = dict(list(failed.items())[:_KEPT])
    return replace(rollout, told=told, well=well, ill=ill, failed=failed)


def proved_at(rollout: Rollout, look: Look, told_at: float, time: Time) -> float:
    """When a host will have proved well, if it stays as it is; infinity when it is not well now."""
    if look.well_since is None:
        return _NEVER
    return max(time.past(look.well_since), told_at) + rollout.policy.min_healthy_s


def next_at(rollout: Rollout, looks: Mapping[Host, Look], time: Time) -> float:
    """When a look at the hosts may tell something new without any news; infinity for never."""
    times = [_NEVER]
    for host, told_at in rollout.told.items():
        if (look := looks.get(host)) is None:
            continue
        listening = max(told_at, time.listening_since)
        times += [listening + rollout.policy.deadline_s, proved_at(rollout, look, told_at, time)]
        if look.failed_since is not None:
            times.append(max(time.past(look.failed_since), told_at) + LASTING_S)
    return min(at for at in times if at > time.now)


def _failure(rollout: Rollout, look: Look, told_at: float, time: Time) -> str:
    """Why a host that was told has failed; empty when it has not."""
    since = None if look.failed_since is None else max(time.past(look.failed_since), told_at)
    if since is not None and time.now - since >= LASTING_S:
        return look.reason or "it failed"
    if time.waited(told_at) < rollout.policy.deadline_s:
        return ""
    what = "the host did not answer" if look.being is Being.UNKNOWN else "it did not become healthy"
    return f"{what} within {rollout.policy.deadline_s:g} s{look.reason and f': {look.reason}'}"


def _failed_later(
    rollout: Rollout, looks: Mapping[Host, Look], told: Mapping[Host, float], time: Time
) -> dict[Host, str]:
    """Hosts that had proved well, or joined, and fail now with the new release."""
    if rollout.phase is Phase.RETURNING:
        return {}
    patience = max(LASTING_S, rollout.policy.min_healthy_s)
    return {
        host: look.reason or "it failed"
        for host, look in looks.items()
        if look.release == rollout.after.name
        and look.failed_since is not None
        and time.now - time.past(look.failed_since) >= patience
        and host not in told
        and host not in rollout.failed
    }


_NEVER: Final = float("inf")
