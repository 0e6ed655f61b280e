"""Answers of the planner about publishers and the signatures of packages."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class PackageSigner(TypedDict):
    """Who signed a package: key, its name in the slice (or empty), when it came, and who brought it."""

    key: str
    publisher: str
    at: float | str
    by: str


class Publisher(TypedDict):
    """Whose packages a slice takes: a name, and the key as OpenSSH writes and shows it."""

    name: str
    key: str
    fingerprint: str


class Unsigned(TypedDict):
    """What is not signed by a publisher of its slice: of which application, or of the sliver."""

    of: str
    files: list[str]


class PublishersShown(TypedDict):
    """Whose packages a slice takes; ``signed_only``: no others; ``rpm_keys``: who has to sign RPMs."""

    slice: str
    signed_only: bool
    publishers: list[Publisher]
    rpm_keys: NotRequired[list[str]]
    unsigned: list[Unsigned]


class SignatureKept(TypedDict):
    """A signature that the planner has kept; ``publisher``: its name in this slice, or empty."""

    filename: str
    key: str
    publisher: str
