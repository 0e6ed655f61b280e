"""Foresight: what another release of an application would change, wave by wave, before anybody asks for it.

The order of a roll-out is the same for ever (`planner.rollout.order`), so the waves can be told beforehand,
as long as the world stays as it is seen. Hosts on failed nodes are in no wave: they follow when back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dsmt_core.names import Application, Host
from planner.fleet import Fleet
from planner.preview import digest_of, form_of
from planner.release import Release, ReleaseName, changes
from planner.rollout.looks import Being, Look
from planner.rollout.policy import Policy
from planner.rollout.round import looks_of
from planner.wanted import WantedSlice


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave.

    Attributes:
        number: from 1.
        upto: how many hosts have the release after it.
        hosts: who gets it, in this order.
    """

    number: int
    upto: int
    hosts: Sequence[Host]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What would be changed.

    Attributes:
        before: the slice's release now.
        after: the one it would have.
        changes: what that changes, for people.
        waves: who would get it when.
        index: a digest of what all this rests on: the slice, the release, the waves.
    """

    application: Application
    before: Release
    after: Release
    changes: tuple[str, ...]
    waves: tuple[Wave, ...]
    index: str

    @property
    def is_nothing(self) -> bool:
        """Whether neither the slice nor any host would change."""
        return not self.changes and not any(wave.hosts for wave in self.waves)


def in_waves(
    slice_: WantedSlice, seen: Fleet, application: Application, release: Release, policy: Policy
) -> Foresight:
    """A roll-out that would start now."""
    looks = looks_of(slice_, seen, slice_.hosts.keys(), application)
    living = [look for look in looks if look.is_living]
    # A host that runs shows most, and comes first.
    coming = [look for look in sorted(living, key=_last_if_down) if look.release != release.name]
    have, given = len(living) - len(coming), 0
    waves = []
    for number in range(len(policy.waves)):
        upto = policy.target(number, len(living))
        end = max(given, upto - have)
        waves.append(Wave(number + 1, upto, [look.host for look in coming[given:end]]))
        given = end
    return _foreseen(slice_, application, release, waves)


def at_once(slice_: WantedSlice, updated: WantedSlice, application: Application) -> Foresight:
    """An update, which is for all hosts at once.

    Args:
        slice_: as committed.
        updated: as the update makes it.
        application: which.
    """
    release = updated.applications[application].release
    before = {one.host: one.release for one in slice_.placements if one.application == application}
    told = [one for one in updated.placements if one.application == application]
    hosts = sorted(one.host for one in told if one.release != before[one.host])
    return _foreseen(slice_, application, release, [Wave(1, len(told), hosts)])


def _foreseen(
    slice_: WantedSlice, application: Application, release: Release, waves: Iterable[Wave]
) -> Foresight:
    told = tuple(waves)
    before = slice_.applications[application].release
    names: tuple[ReleaseName, ReleaseName] = before.name, release.name
    rests_on = form_of(slice_), names, release.packages, [(one.number, list(one.hosts)) for one in told]
    return Foresight(
        application=application,
        before=before,
        after=release,
        changes=changes(before, release),
        waves=told,
        index=digest_of(rests_on),
    )


def _last_if_down(look: Look) -> bool:
    return look.being is not Being.UP
