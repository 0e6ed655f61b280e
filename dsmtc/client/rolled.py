"""The planner's answers about roll-outs, as types."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Rollout(TypedDict):
    """A roll-out: the latest of its application also tells how far it is.

    Attributes:
        from_configuration, configuration: digests; empty for none.
        changes: what it changes, a line each; configurations are told value by value.
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
    from_configuration: NotRequired[str]
    configuration: NotRequired[str]
    changes: NotRequired[list[str]]
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
    """What a roll-out, or an update, would do.

    Attributes:
        changes: what it changes, a line each; empty when every host has it all already.
        waves: of an update there is one.
        index: of what this rests on; a change with it is refused when that is so no longer.
    """

    application: str
    from_version: str
    version: str
    changes: list[str]
    waves: list[ForeseenWave]
    index: str
