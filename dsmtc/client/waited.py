"""How a slice stands to what is waited for, as ``dsmtc wait --json`` tells it."""

from __future__ import annotations

from typing import TypedDict


class Lacking(TypedDict):
    """An instance that is not as it is waited for, and why."""

    host: str
    application: str
    state: str
    version: str
    reason: str


class Waited(TypedDict):
    """How many are as they are waited for, of how many that are needed."""

    slice: str
    wanted: str
    reached: bool
    count: int
    of: int
    lacking: list[Lacking]
    reasons: list[str]
