"""How far a roll-out is, for people: how many hosts have which release, and who is awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsmt_core.names import Application, Host
from planner.fleet import Fleet
from planner.release import configuration_of, version_of
from planner.rollout.looks import Being
from planner.rollout.rollout import Rollout
from planner.rollout.round import looks_of
from planner.wanted import WantedSlice

_NAMED: Final = 100
"""Of so many hosts the names are shown; a number says how many there are."""


def shown(
    slice_: WantedSlice, seen: Fleet, application: Application, waits: Sequence[str]
) -> dict[str, Any]:
    """The latest roll-out of an application with its progress, as plain JSON.

    Args:
        slice_: which has it.
        seen: as folded.
        application: which.
        waits: what holds it back, as the last round said.
    """
    rollout = slice_.rollouts[application]
    looks = looks_of(slice_, seen, slice_.hosts.keys(), application)
    new = [look for look in looks if look.release == rollout.after.name]
    living = sum(look.is_living for look in looks)
    return written(application, rollout) | {
        "hosts": len(looks),
        "new": len(new),
        "running": sum(look.being is Being.UP for look in new),
        "target": rollout.policy.target(rollout.wave, living) if rollout.is_active else len(looks),
        "awaited": _first(rollout.told),
        "waits": list(waits),
    }


def written(application: Application, rollout: Rollout) -> dict[str, Any]:
    """A roll-out as it is kept, as plain JSON; the same for those of long ago."""
    policy = rollout.policy
    return {
        "application": application,
        "number": rollout.number,
        "phase": rollout.phase.value,
        "active": rollout.is_active,
        "from_version": version_of(rollout.before),
        "version": rollout.after.version,
        "from_configuration": configuration_of(rollout.before),
        "configuration": rollout.after.configuration.digest,
        "changes": list(rollout.changes),
        "wave": rollout.wave + 1,
        "waves": [str(one) for one in policy.waves],
        "min_healthy_s": policy.min_healthy_s,
        "deadline_s": policy.deadline_s,
        "errors": str(policy.errors),
        "need": f"{policy.need:g}%",
        "well": rollout.well,
        "ill": rollout.ill,
        "failures": len(rollout.failed),
        "failed": dict(list(rollout.failed.items())[:_NAMED]),
        "reason": rollout.reason,
        "by": rollout.by,
        "began_at": rollout.began_at,
        "moved_at": rollout.moved_at,
    }


def _first(told: Mapping[Host, float]) -> list[Host]:
    return sorted(told)[:_NAMED]
