"""What people do with a roll-out: start, pause, resume, promote, abort. Each changes wanted only.

One roll-out at a time goes over an application of a slice. A second one is refused, and so is ``update``:
whoever wants something else ends the first one, and says what becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import Application
from planner.release import Release, changes, said
from planner.rollout.advance import ended, next_wave, turned_back
from planner.rollout.policy import Policy
from planner.rollout.releases import in_use
from planner.rollout.rollout import Phase, Rollout
from planner.wanted import WantedSlice

MOST_RELEASES = 4
"""Hosts of a slice have at most so many releases of an application at a time."""


class Deed(StrEnum):
    """What people do with a roll-out that is on."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who does it, when, and how.

    Attributes:
        by: the account.
        now: seconds since the epoch.
        all_at_once: promote to the last wave, not to the next.
        back: abort, and have the hosts get the release before again.
    """

    by: str
    now: float
    all_at_once: bool = False
    back: bool = False


def started(
    slice_: WantedSlice, application: Application, release: Release, policy: Policy, wish: Wish
) -> Rollout:
    """A new roll-out.

    Raises:
        Conflict: one is on; every host has the release already; or too many are in use.
    """
    last = slice_.rollouts.get(application)
    if last is not None and last.is_active:
        raise busy(last, application)
    wanted = slice_.applications[application]
    used = in_use(slice_, application)
    if is_everywhere(slice_, application, release):
        raise Conflict(
            f"{application} {said(release.name)} is what every host of {slice_.name} has",
            hint="put another version into the depot, name one with --version, or dsmtc configure it",
        )
    others = tuple(one for one in used[1:] if one.name != release.name)
    if len(others) + 2 > MOST_RELEASES:
        raise Conflict(
            f"the hosts of {slice_.name} have {len(used)} releases of {application} already",
            hint="bring them to one first: dsmtc update, or dsmtc rollout abort --back",
        )
    return Rollout(
        number=last.number + 1 if last else 1,
        before=wanted.release.name,
        after=release,
        policy=policy,
        others=others,
        changes=changes(wanted.release, release),
        reason=f"{wish.by} started it",
        by=wish.by,
        began_at=wish.now,
        moved_at=wish.now,
    )


def is_everywhere(slice_: WantedSlice, application: Application, release: Release) -> bool:
    """Whether every host of a slice has, and is to have, this release already."""
    used = in_use(slice_, application)
    return len(used) == 1 and used[0].name == release.name


def turned(slice_: WantedSlice, application: Application, deed: Deed, wish: Wish) -> Rollout:
    """The roll-out after what people did.

    Raises:
        NotFound: there never was one.
        Conflict: it is not in a phase in which this can be done.
    """
    rollout = slice_.rollouts.get(application)
    if rollout is None:
        raise NotFound(
            f"there is no roll-out of {application} in {slice_.name}", hint="dsmtc rollout start"
        )
    changed = _DEEDS[deed](rollout, slice_, application, wish)
    return replace(changed, moved_at=wish.now)


def busy(rollout: Rollout, application: Application) -> Conflict:
    """The error for whoever wants to change a release that is being rolled out."""
    return Conflict(
        f"roll-out {rollout.number} of {application} to {said(rollout.after.name)} is {rollout.phase}",
        hint="dsmtc rollout promote --all lets it go on at once, dsmtc rollout abort [--back] ends it",
    )


def _pause(rollout: Rollout, _slice: WantedSlice, application: Application, wish: Wish) -> Rollout:
    if rollout.phase is not Phase.RUNNING:
        raise _not_now(rollout, application, "paused")
    return replace(rollout, phase=Phase.PAUSED, reason=f"{wish.by} paused it")


def _resume(rollout: Rollout, _slice: WantedSlice, application: Application, wish: Wish) -> Rollout:
    if rollout.phase is not Phase.PAUSED:
        raise _not_now(rollout, application, "resumed")
    return replace(rollout, phase=Phase.RUNNING, reason=f"{wish.by} resumed it")


def _promote(rollout: Rollout, _slice: WantedSlice, application: Application, wish: Wish) -> Rollout:
    if rollout.phase not in {Phase.RUNNING, Phase.PAUSED}:
        raise _not_now(rollout, application, "promoted")
    last = len(rollout.policy.waves) - 1
    if rollout.wave == last:
        raise Conflict(
            f"roll-out {rollout.number} of {application} is in its last wave",
            hint="the rest follows as the disruption budget has room; dsmtc rollout resume if it is paused",
        )
    wave = last if wish.all_at_once else rollout.wave + 1
    return next_wave(replace(rollout, phase=Phase.RUNNING), wave, f"{wish.by} promoted it")


def _abort(rollout: Rollout, slice_: WantedSlice, application: Application, wish: Wish) -> Rollout:
    mixed = rollout.phase is Phase.ABORTED and len(in_use(slice_, application)) > 1
    if wish.back and (rollout.phase in {Phase.RUNNING, Phase.PAUSED} or mixed):
        return turned_back(rollout, f"{wish.by} aborted it")
    if wish.back or not rollout.is_active:
        raise _not_now(rollout, application, "aborted")
    return ended(rollout, Phase.ABORTED, f"{wish.by} aborted it; each host keeps what it has")


def _not_now(rollout: Rollout, application: Application, what: str) -> Conflict:
    return Conflict(
        f"roll-out {rollout.number} of {application} cannot be {what}: it is {rollout.phase}",
        hint="dsmtc rollout status shows it",
    )


_DEEDS = {Deed.PAUSE: _pause, Deed.RESUME: _resume, Deed.PROMOTE: _promote, Deed.ABORT: _abort}
