"""The planner's answers about roll-outs, as types."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Rollout(TypedDict):
    """A roll-out: the latest of its application also tells how far it is.

    Attributes:
        phase: running, paused, rolling back; done, rolled back, aborted.
        wave: from 1; ``waves`` are the sizes, as people wrote them.
        well, ill: hosts of this wave that have proved well, or failed.
        failures, failed: how many hosts failed with the new version; the first 100 with their reasons.
        hosts, new, running: of the slice; with the new version; of those, running.
        target: how many have it when this wave is full.
        awaited: hosts that were told and have not proved well yet.
        waits: why it does not go on.
    """

    application: str
    number: int
    phase: str
    active: bool
    from_version: str
    version: str
    wave: int
    waves: list[str]
    min_healthy_s: float
    deadline_s: float
    errors: str
    need: str
    well: int
    ill: int
    failures: int
    failed: dict[str, str]
    reason: str
    by: str
    began_at: float
    moved_at: float
    hosts: NotRequired[int]
    new: NotRequired[int]
    running: NotRequired[int]
    target: NotRequired[int]
    awaited: NotRequired[list[str]]
    waits: NotRequired[list[str]]


class ForeseenWave(TypedDict):
    """A wave, and the hosts that would get the new version in it."""

    wave: int
    upto: int
    hosts: list[str]


class Foreseen(TypedDict):
    """What a roll-out would do."""

    application: str
    from_version: str
    version: str
    waves: list[ForeseenWave]
