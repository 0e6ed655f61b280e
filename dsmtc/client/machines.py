"""The answers of the planner about nodes."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from dsmtc.client.answers import ProcessHealth
from dsmtc.client.stood import Standing


class Named(TypedDict):
    """A node's name."""

    host: str


class Evidence(TypedDict):
    """Why a node is in its state: what was seen, when last, by whom, and how often in a row."""

    what: str
    when: float
    by: str
    times: NotRequired[int]


class Misfit(TypedDict):
    """A slice that leaves a node alone, until when, and why."""

    slice: str
    application: str
    version: str
    reason: str
    since: float
    until: float
    failures: int


class Certificate(TypedDict):
    """The certificate of a node: SHA-256 of it (empty: none), and its end in seconds since the epoch."""

    fingerprint: str
    ends: float


class Node(TypedDict):
    """A node as last heard; ``out_until``: its probation does not end before.

    ``copied_at``: when two machines last showed its key; 0: never. ``clock_off_s``: how far its clock is
    ahead of the planner's (behind: below 0); None: not known.
    """

    host: str
    state: str
    heard_at: float | str | None
    period: float
    since: NotRequired[float]
    failures: NotRequired[int]
    out_until: NotRequired[float]
    probed: NotRequired[bool]
    misfits: NotRequired[list[Misfit]]
    evidence: list[Evidence]
    slivers: list[str]
    facts: dict[str, str]
    labels: NotRequired[dict[str, str]]
    health: NotRequired[ProcessHealth | None]
    unwell: NotRequired[list[str]]
    standing: NotRequired[Standing]
    certificate: NotRequired[Certificate]
    copied_at: NotRequired[float]
    clock_off_s: NotRequired[float | None]
    of_site: NotRequired[str]
