"""The next step of one roll-out: who gets which release in this round, and whether the wave is over.

Only a running instance costs anything to change: what certainly does not run is changed at once. Two
things end a wave early: too many failed hosts in all, and a wave that cannot become well enough any more.
A wave is not over before every host that could be told was told; of those, `Policy.need` suffices.
Over no host nothing proves well: while the slice has none, or all have failed, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dsmt_core.names import Host
from planner.release import ReleaseName
from planner.rollout.judging import Time, judged, next_at
from planner.rollout.looks import Being, Look
from planner.rollout.rollout import Phase, Rollout

_TELLABLE: Final = frozenset({Being.NEW, Being.UP, Being.DOWN})
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Step:
    """What one round does for a roll-out.

    Attributes:
        rollout: as it is to be committed.
        targets: which release each host of the slice should have, by name.
        spent: how many running instances it takes down.
        waits: why it does not go on; empty when nothing is held back.
        again_at: when to look again without any news, seconds.
    """

    rollout: Rollout
    targets: Mapping[Host, ReleaseName]
    spent: int = 0
    waits: str = ""
    again_at: float = _NEVER


def advance(
    rollout: Rollout, looks: Sequence[Look], *, goal: ReleaseName, allowance: int, time: Time
) -> Step:
    """The next step.

    Args:
        rollout: as committed.
        looks: of the slice's hosts after this round, in the order in which they come.
        goal: the name of the release that the slice has, as committed.
        allowance: how many running instances may be taken down now.
        time: now.
    """
    by_host = {look.host: look for look in looks}
    if rollout.phase is Phase.ABORTED:
        return Step(rollout, {look.host: look.release or goal for look in looks})
    if not rollout.is_active:
        return _follow(rollout, looks, goal, allowance)
    after = judged(rollout, by_host, time)
    if after.phase is Phase.RUNNING:
        after = _waves(after, looks, time)
    if after != rollout:
        after = replace(after, moved_at=time.now)
    if after.phase is Phase.RUNNING:
        step = _give(after, looks, goal, allowance, time)
    elif after.phase is Phase.RETURNING:
        step = _return(after, looks, allowance, time)
    else:
        reached = goal if after.phase is not Phase.DONE else after.after.name
        step = Step(after, {look.host: look.release or reached for look in looks})
    return _stamped(step, rollout, by_host, time)


def _stamped(step: Step, before: Rollout, looks: Mapping[Host, Look], time: Time) -> Step:
    """With the time of the step, when it is one, and of the next look."""
    rollout = step.rollout if step.rollout == before else replace(step.rollout, moved_at=time.now)
    return replace(step, rollout=rollout, again_at=min(step.again_at, next_at(rollout, looks, time)))


# -- waves ---------------------------------------------------------------------------------------------


def _waves(rollout: Rollout, looks: Sequence[Look], time: Time) -> Rollout:
    """Whether it turns back, and which wave is on."""
    if not any(look.is_living for look in looks):
        return rollout
    most = rollout.policy.too_many(len(looks))
    if len(rollout.failed) >= most and rollout.failed:
        return turned_back(rollout, f"{_failures(rollout)}; {most} are too many")
    room = _room(rollout, looks)
    members = rollout.well + rollout.ill + len(rollout.told) + room
    if rollout.ill > members - rollout.policy.needed(members):
        needed = rollout.policy.needed(members)
        return turned_back(
            rollout, f"wave {rollout.wave + 1} cannot have {needed} of {members} well: {_failures(rollout)}"
        )
    if room and (_tellable(rollout, looks) or not _is_stuck(rollout, looks, time)):
        return rollout
    return _next_wave(rollout, looks, time)


def _next_wave(rollout: Rollout, looks: Sequence[Look], time: Time) -> Rollout:
    """All that could be told were told: the next wave, when enough of this one are well."""
    members = rollout.well + rollout.ill + len(rollout.told)
    have = [look for look in looks if look.is_living and look.release == rollout.after.name]
    if not members and have:
        # Whoever filled the wave joined, or was lost and is back: nobody has proved anything yet.
        proving = {look.host: time.now for look in have if look.host not in rollout.failed}
        return replace(rollout, told=proving) if proving else rollout
    if not members or rollout.well < rollout.policy.needed(members):
        return rollout
    living = sum(look.is_living for look in looks)
    for wave in range(rollout.wave + 1, len(rollout.policy.waves)):
        if rollout.policy.target(wave, living) > len(have):
            reason = f"{rollout.well} of {members} of wave {rollout.wave + 1} are well"
            return next_wave(rollout, wave, reason)
    return ended(rollout, Phase.DONE, f"{rollout.well} of {members} of the last wave are well")


def unproven(rollout: Rollout, time: Time) -> Step:
    """The last step where nobody has ever meant anything to run: nothing can be harmed, nor proved."""
    done = ended(rollout, Phase.DONE, "the slice has no plan yet; whoever joins gets it")
    return Step(replace(done, moved_at=time.now), {})


def next_wave(rollout: Rollout, wave: int, reason: str) -> Rollout:
    """The roll-out at the beginning of a wave; who has proved nothing yet is judged in it."""
    return replace(rollout, wave=wave, well=0, ill=0, reason=reason)


def turned_back(rollout: Rollout, reason: str) -> Rollout:
    """The roll-out on its way back."""
    return replace(rollout, phase=Phase.RETURNING, told={}, well=0, ill=0, reason=reason)


def ended(rollout: Rollout, phase: Phase, reason: str) -> Rollout:
    """The roll-out at its end."""
    return replace(rollout, phase=phase, told={}, reason=reason)


def _room(rollout: Rollout, looks: Sequence[Look]) -> int:
    """How many hosts of this wave have not been told yet."""
    living = [look for look in looks if look.is_living]
    have = sum(look.release == rollout.after.name for look in living)
    return max(rollout.policy.target(rollout.wave, len(living)) - have, 0)


def _tellable(rollout: Rollout, looks: Sequence[Look]) -> bool:
    return any(look.being in _TELLABLE and look.release != rollout.after.name for look in looks)


def _is_stuck(rollout: Rollout, looks: Sequence[Look], time: Time) -> bool:
    """Whether nothing has moved for a whole deadline, though some hosts have spoken."""
    heard = any(look.being in {Being.UP, Being.DOWN} for look in looks)
    return heard and not rollout.told and time.waited(rollout.moved_at) >= rollout.policy.deadline_s


def _failures(rollout: Rollout) -> str:
    """The failed hosts in a sentence, with the first reason."""
    host, reason = next(iter(rollout.failed.items()), ("", ""))
    number = len(rollout.failed)
    return f"{number} host{'s' if number != 1 else ''} failed" + (f" ({host}: {reason})" if host else "")


# -- who gets what -------------------------------------------------------------------------------------


def _give(rollout: Rollout, looks: Sequence[Look], goal: ReleaseName, allowance: int, time: Time) -> Step:
    """Tell hosts the new release, as many as wave and allowance have room for."""
    new = rollout.after.name
    targets = {look.host: look.release or goal for look in looks}
    room, told = _room(rollout, looks), dict(rollout.told)
    # Who was told and has not proved well yet may fail all the same: it counts as taken down.
    unproven = sum(look.host in told and look.being is Being.UP for look in looks)
    spent = unproven
    candidates = [look for look in looks if look.being in _TELLABLE and look.release != new]
    # A host that runs shows most; stable, so that the order within stays that of the roll-out.
    candidates.sort(key=lambda look: look.being is not Being.UP)
    held = 0
    for look in candidates:
        if room == 0:
            break
        costs = look.being is Being.UP
        if costs and spent >= allowance:
            held += 1
            continue
        targets[look.host], told[look.host] = new, time.now
        room, spent = room - 1, spent + costs
    waits = _why_waiting(rollout, looks, min(held, room))
    again = (
        max(time.past(rollout.moved_at), time.listening_since) + rollout.policy.deadline_s
        if room and not told
        else _NEVER
    )
    return Step(
        replace(rollout, told=told),
        targets,
        spent - unproven,
        waits,
        again if again > time.now else _NEVER,
    )


def _why_waiting(rollout: Rollout, looks: Sequence[Look], held: int) -> str:
    if held:
        return (
            f"the disruption budget has no room: {held} more of wave {rollout.wave + 1} when others are up"
        )
    if not looks:
        return "the slice has no hosts now"
    if not any(look.is_living for look in looks):
        return "all its nodes have failed"
    unknown = sum(look.being is Being.UNKNOWN for look in looks)
    if _room(rollout, looks) and unknown and not _tellable(rollout, looks):
        return f"of {unknown} of its hosts nothing certain is known now"
    return ""


def _return(rollout: Rollout, looks: Sequence[Look], allowance: int, time: Time) -> Step:
    """Tell hosts the release before again: what does not run at once, the rest within the allowance."""
    old = rollout.before
    targets, told, spent = {look.host: old for look in looks}, dict(rollout.told), 0
    left = [look for look in looks if look.release not in {old, ""}]
    for look in left:
        if look.being is Being.UNKNOWN or (look.being is Being.UP and spent >= allowance):
            targets[look.host] = look.release
        elif look.is_living:
            told[look.host] = time.now
            spent += look.being is Being.UP
    after = replace(rollout, told=told)
    held = [look for look in left if targets[look.host] != old]
    # A host that never answers is not waited for: it follows when it does.
    mute = all(look.being is Being.UNKNOWN for look in held) and _is_stuck(rollout, looks, time)
    if not told and (not held or mute):
        after = ended(after, Phase.RETURNED, rollout.reason)
    waits = f"{len(held)} more go back when others are up" if held else ""
    again = (
        max(time.past(rollout.moved_at), time.listening_since) + rollout.policy.deadline_s
        if held and not told
        else _NEVER
    )
    return Step(after, targets, spent, waits, again if again > time.now else _NEVER)


def _follow(rollout: Rollout, looks: Sequence[Look], goal: ReleaseName, allowance: int) -> Step:
    """After its end: hosts that could not be told get the slice's release, a few at a time."""
    targets, spent = {look.host: goal for look in looks}, 0
    known = {rollout.before, rollout.after.name, *(one.name for one in rollout.others)}
    for look in looks:
        if look.release in {goal, ""} or look.release not in known:
            continue
        if look.being is Being.UNKNOWN or (look.being is Being.UP and spent >= allowance):
            targets[look.host] = look.release
        spent += look.being is Being.UP and targets[look.host] == goal
    return Step(rollout, targets, spent)
