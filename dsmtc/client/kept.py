"""What the planner answers about the depot of a slice: what is there, stays or went, and its room."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from dsmtc.client.signed import PackageSigner


class Package(TypedDict):
    """A package of a slice."""

    filename: str
    digest: str
    size: int
    kind: str
    name: str
    version: str
    arch: str
    requires: list[str]
    provides: NotRequired[list[str]]
    application: str | None
    put_at: float | str
    scripts: NotRequired[list[str]]
    signatures: NotRequired[list[PackageSigner]]


class PackageKnown(Package):
    """A package, and what is known of it besides.

    Attributes:
        put_by: the account that put it; empty when the audit log does not tell any more.
        uses: why it cannot be removed, a sentence each; none: nothing uses it.
        hosts: the nodes to which an application with it is given.
        slices: the other slices, of those that you may look into, whose depot has the same content.
    """

    put_by: str
    uses: list[str]
    hosts: list[str]
    slices: list[str]


class Stored(Package):
    """A package that was just put: what it is for.

    Attributes:
        application_added: the slice has one application more.
        used_now: it is what nodes are told to install.
        waits_for: a package that it requires and the depot does not hold yet.
        lacks_signature: the slice takes signed packages only, and no publisher of it has signed this one.
    """

    application_added: bool
    used_now: bool
    waits_for: NotRequired[str]
    lacks_signature: NotRequired[bool]


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
