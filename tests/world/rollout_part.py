"""Roll-outs in the simulated world: what people do with them, and their laws.

a commit    a host that stays changes its release only by a roll-out, to one that is known; never more
that are up are taken down than the disruption budget has room for; the phases and waves of
a roll-out only go forward; it is called done only where a host that stays has the new release
in the end  it is done, or back, or held by people; and when it is not held, all hosts have one release
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dsmt_core.packages import PackageRef
from planner.disruption import Disruption, Health
from planner.fleet import Fleet
from planner.release import Reconfiguration
from planner.rollout import Phase, Release, policy
from planner.rollout.turns import Deed, Wish, started, turned
from planner.standing import bars_at
from planner.steps import SliceChange
from planner.wanted import Run, WantedSlice
from tests.world.laws import allowance
from tests.world.layout import APP
from tests.world.store import Store
from tests.world.truth import Broken

if TYPE_CHECKING:
    from tests.world.world import World

BAD: Final = "2.9-1"
"""A version that comes to run nowhere."""
_NEXT: Final = {
    Phase.RUNNING: {Phase.RUNNING, Phase.RETURNING, Phase.DONE, Phase.RETURNED},
    Phase.PAUSED: {Phase.PAUSED},
    Phase.RETURNING: {Phase.RETURNING, Phase.RETURNED},
    Phase.DONE: {Phase.DONE},
    Phase.RETURNED: {Phase.RETURNED},
    Phase.ABORTED: {Phase.ABORTED},
}
_HELD: Final = frozenset({Phase.PAUSED, Phase.ABORTED})


def start(world: World) -> Callable[[WantedSlice], WantedSlice]:
    """A person starts a roll-out, at times of a version that runs nowhere."""
    luck = world.simulation.luck
    version = luck.choice(["2.1-1", "2.2-1", BAD])
    if version == BAD:
        world.truth.bad.add(BAD)
        world.mended.append(lambda: _repair(world))
    # Another package than that of any version that people bring by an update.
    release = Release(version, (PackageRef("abcdef"[int(version[2]) % 6] * 64, 10, "dsmtw_pinger.rpm"),))
    chosen = policy(
        luck.choice([["1"], ["1", "50%"], []]), min_healthy_s=luck.choice([0.0, 2.0]), deadline_s=20.0
    )
    wish = Wish(by="ann", now=world.planner.now)

    def change(slice_: WantedSlice) -> WantedSlice:
        return replace(
            slice_, rollouts={**slice_.rollouts, APP: started(slice_, APP, release, chosen, wish)}
        )

    return change


def configure(world: World) -> Callable[[WantedSlice], WantedSlice]:
    """A person rolls another configuration out; the version stays."""
    luck = world.simulation.luck
    wish = Reconfiguration(values={"greeting": luck.choice(["hello", "hi"])})
    chosen = policy(luck.choice([["1"], []]), min_healthy_s=0.0, deadline_s=20.0)
    by = Wish(by="ann", now=world.planner.now)

    def change(slice_: WantedSlice) -> WantedSlice:
        now = slice_.applications[APP].release
        release = replace(now, configuration=wish.of(now.configuration))
        return replace(slice_, rollouts={**slice_.rollouts, APP: started(slice_, APP, release, chosen, by)})

    return change


def _repair(world: World) -> None:
    """The bad version is repaired where nobody would ever find out: it is held, or rests."""
    slices = world.planner.store.wanted.slices.values()
    rolling = [one.rollouts[APP].phase for one in slices if APP in one.rollouts]
    resting = any(one.run is Run.STOPPED for slice_ in slices for one in slice_.placements)
    wanted = {one.applications[APP].version for one in slices}
    if resting or _HELD & set(rolling) or BAD in wanted:
        world.truth.bad.discard(BAD)


def turn(world: World) -> Callable[[WantedSlice], WantedSlice]:
    """A person holds one, lets it go on, or ends it."""
    luck = world.simulation.luck
    deed = luck.choice(list(Deed))
    wish = Wish(by="ann", now=world.planner.now, all_at_once=luck.random() < 0.5, back=luck.random() < 0.5)

    def change(slice_: WantedSlice) -> WantedSlice:
        return replace(slice_, rollouts={**slice_.rollouts, APP: turned(slice_, APP, deed, wish)})

    return change


def check_commit(store: Store, seen: Fleet, change: SliceChange, *, now: float) -> None:
    """What a planner is about to commit.

    Raises:
        Broken: it may not.
    """
    before = store.wanted.slices[change.slice]
    for name, rollout in change.rollouts.items():
        was = before.rollouts[name]
        if rollout.phase not in _NEXT[was.phase] or rollout.wave < was.wave:
            raise Broken(f"the roll-out went from {was.phase} to {rollout.phase}")
        proved = {one.host for one in before.placements if one.release == rollout.after.name}
        if rollout.phase is Phase.DONE and was.is_active and not proved & change.hosts.keys():
            raise Broken(f"a roll-out is called done, and no host has {rollout.after.name}")
    was_at = {(one.host, one.application): one.release for one in before.placements}
    changed = {
        one.host
        for one in change.placements
        if one.host in before.hosts and one.release != was_at.get((one.host, one.application), one.release)
    }
    if not changed:
        return
    of_it = before.rollouts.get(APP)
    if of_it is None:
        raise Broken(f"{sorted(changed)} get another release, and nobody asked")
    known = {of_it.before, of_it.after.name, *(one.name for one in of_it.others)}
    told = {one.release for one in change.placements if one.host in changed}
    if told - known - {before.applications[APP].release.name}:
        raise Broken(f"{sorted(told)} are told, {sorted(known)} are wanted")
    disruption = Disruption(before, seen, bars_at(store.wanted.standings, now))
    runs = {one.host for one in before.placements if one.run is Run.RUNNING}
    down = sum(disruption.healths[host] is Health.UP for host in changed & runs)
    may = allowance(disruption)
    if down > may and not store.restored:
        raise Broken(f"{down} of {len(before.hosts)} are taken down, {may} may be")


def differs(slice_: WantedSlice, *, bad: bool) -> str:
    """How a roll-out is not where it should be in the end; empty when it is.

    Args:
        slice_: as committed.
        bad: whether the bad version runs nowhere, still.
    """
    rollout = slice_.rollouts.get(APP)
    if rollout is None or rollout.phase in _HELD:
        return ""
    if rollout.is_active and slice_.hosts:
        return f"the roll-out is {rollout.phase}: {rollout}"
    releases = {one.release for one in slice_.placements}
    wanted = slice_.applications[APP].release.name
    runs = any(one.run is Run.RUNNING for one in slice_.placements)
    is_wanted = slice_.applications[APP].version == BAD
    # People may have asked for another version since.
    if rollout.phase is Phase.DONE and rollout.after.version == BAD and runs and bad and is_wanted:
        return "a version that runs nowhere is called done"
    return "" if releases <= {wanted} else f"{sorted(releases)} are placed, {wanted} is wanted"
