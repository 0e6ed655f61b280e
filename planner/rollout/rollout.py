"""One roll-out as it is kept: all that its next step depends on, besides what is seen and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dsmt_core.names import Host
from planner.release import Release, ReleaseName
from planner.rollout.policy import DEFAULT, Policy


class Phase(StrEnum):
    """Where a roll-out stands.

    Attributes:
        RUNNING: it gives the new release to more hosts as those before prove well.
        PAUSED: people hold it; hosts that were told already go on.
        RETURNING: the hosts that have the new release get the one before again.
        DONE: the new release is the slice's. Hosts that could not be told yet follow.
        RETURNED: the release before is the slice's, as it was. Hosts that could not be told yet follow.
        ABORTED: people ended it where it stood: each host keeps what it has.
    """

    RUNNING = "running"
    PAUSED = "paused"
    RETURNING = "rolling back"
    DONE = "done"
    RETURNED = "rolled back"
    ABORTED = "aborted"


ACTIVE: Final = frozenset({Phase.RUNNING, Phase.PAUSED, Phase.RETURNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The latest roll-out of an application of a slice; earlier ones are history.

    Attributes:
        number: counts those of the application, from 1.
        before: the name of the release that the slice had when it began.
        after: the new release.
        others: further releases that hosts may still have; what is not in use any more is left out.
        wave: counts from 0.
        told: hosts that were told the new release (while RETURNING: the old one) and have not proved
            well or failed yet, each with when, seconds since the epoch.
        well, ill: hosts of this wave that have proved well, or failed.
        failed: hosts that failed with the new release, with the reason.
        changes: what it changes, for people.
        reason: why its phase is what it is, for people.
        by: who started it.
        began_at, moved_at: seconds since the epoch; ``moved_at`` is the last step.
    """

    number: int
    before: ReleaseName
    after: Release
    policy: Policy = DEFAULT
    others: tuple[Release, ...] = ()
    phase: Phase = Phase.RUNNING
    wave: int = 0
    told: Mapping[Host, float] = field(default_factory=dict)
    well: int = 0
    ill: int = 0
    failed: Mapping[Host, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""
    began_at: float = 0.0
    moved_at: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.phase in ACTIVE
