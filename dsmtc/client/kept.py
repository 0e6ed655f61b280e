"""What the planner answers about the depot of a slice: what stays, what went, how much room there is."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from dsmtc.client.answers import Package


class KeptPackage(TypedDict):
    """A package that stays, and why."""

    filename: str
    reason: str


class Pruned(TypedDict):
    """What was removed from a depot, or, dry, would be: so many bytes; and what stays."""

    dry_run: bool
    removed: list[Package]
    bytes: int
    kept: list[KeptPackage]


class Room(TypedDict):
    """How many bytes a slice keeps in the depot, and may keep (0: no bound).

    Attributes:
        site, site_used, site_allowed: what all slices of its site keep, where they have a bound together.
    """

    slice: str
    used: int
    allowed: int
    is_default: bool
    site: NotRequired[str]
    site_used: NotRequired[int]
    site_allowed: NotRequired[int]


class Received(TypedDict):
    """How many bytes came of an upload that broke off."""

    received: int
