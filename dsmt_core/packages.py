"""Packages: their names and versions, and which is newer, as rpm decides it.

``rpmvercmp`` here follows rpm's documented rules (rpm-version(7)): a version is cut into runs of
digits and of letters; numbers beat letters, ``~`` sorts before everything, ``^`` after its base.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from itertools import zip_longest
from typing import Final, Literal

from dsmt_core.errors import Invalid
from dsmt_core.names import WRAPPER_PREFIX, Application, application

Kind = Literal["rpm", "tar", "deb", "wheel", "agent", "image", "rootfs", "archive"]
KINDS: Final[tuple[Kind, ...]] = ("rpm", "tar", "deb", "wheel", "agent", "image", "rootfs", "archive")

DIGEST_HEX: Final = 64
_RUNS = re.compile(r"[0-9]+|[a-zA-Z]+|~|\^")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~^-]*\Z")


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """Epoch, version and release, ordered as rpm orders them. Text form: ``[epoch:]version[-release]``."""

    epoch: int
    version: str
    release: str

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``[epoch:]version[-release]``.

        Raises:
            Invalid: it is empty, or the epoch is not a number.
        """
        before, colon, rest = text.partition(":")
        epoch, rest = (before, rest) if colon else ("0", text)
        version, _, release = rest.partition("-")
        if not version or not epoch.isdecimal():
            raise Invalid(f"{text!r} is not a version", hint="such as 1.8-1 or 2:1.8-1")
        return cls(int(epoch), version, release)

    def __str__(self) -> str:
        prefix = f"{self.epoch}:" if self.epoch else ""
        suffix = f"-{self.release}" if self.release else ""
        return f"{prefix}{self.version}{suffix}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.compare(other) == 0

    def __hash__(self) -> int:
        return hash((self.epoch, *_RUNS.findall(self.version)))

    def __lt__(self, other: Version) -> bool:
        return self.compare(other) < 0

    def compare(self, other: Version) -> int:
        """-1, 0 or 1; a release is only compared when both have one, as in rpm's dependencies."""
        if self.epoch != other.epoch:
            return -1 if self.epoch < other.epoch else 1
        order = rpmvercmp(self.version, other.version)
        if order or not (self.release and other.release):
            return order
        return rpmvercmp(self.release, other.release)


@dataclass(frozen=True, slots=True)
class PackageRef:
    """One file of the depot, as an order names it: content digest (SHA-256, hex), bytes, file name."""

    digest: str
    size: int
    filename: str

    def __str__(self) -> str:
        return f"{self.digest}/{self.size}/{self.filename}"

    @classmethod
    def parse(cls, text: str) -> PackageRef:
        """Read ``digest/size/filename``.

        Raises:
            Invalid: a part is missing or not legal.
        """
        digest, size, filename = [*text.split("/", 2), "", ""][:3]
        if not (_DIGEST.match(digest) and size.isdecimal()):
            raise Invalid(f"{text[:80]!r} does not name a package by digest, size and file name")
        return cls(digest, int(size), package_filename(filename))


def package_digest(text: str) -> str:
    """The SHA-256 of a package, hex, in lower case.

    Raises:
        Invalid: it is not one.
    """
    if not _DIGEST.match(text.lower()):
        raise Invalid(f"{text[:80]!r} is not a SHA-256 in hex", hint="sha256sum FILE says it")
    return text.lower()


def package_filename(text: str) -> str:
    """A file name that a package may have: no directory, no space.

    Raises:
        Invalid: it may not.
    """
    if not _FILENAME.match(text) or len(text) > 200:
        raise Invalid(f"{text[:80]!r} is not a file name for a package")
    return text


def wrapped_application(package: str) -> Application | None:
    """The application that a wrapper package (``dsmtw_X``) carries the scripts of, if it is one."""
    if not package.startswith(WRAPPER_PREFIX):
        return None
    return application(package.removeprefix(WRAPPER_PREFIX))


def rpmvercmp(left: str, right: str) -> int:
    """-1, 0 or 1: how rpm orders two version strings."""
    if left == right:
        return 0
    for mine, other in zip_longest(_RUNS.findall(left), _RUNS.findall(right), fillvalue=""):
        if mine != other and (order := _compare_runs(mine, other)):
            return order
    return 0


def _compare_runs(mine: str, other: str) -> int:
    for mark, before in (("~", -1), ("^", 1)):
        if mark in {mine, other}:
            return _compare_marked(mine, other, mark, before)
    if not mine or not other:
        return 1 if mine else -1
    if mine.isdecimal() != other.isdecimal():
        return 1 if mine.isdecimal() else -1
    if mine.isdecimal():
        return (int(mine) > int(other)) - (int(mine) < int(other))
    return (mine > other) - (mine < other)


def _compare_marked(mine: str, other: str, mark: str, before: int) -> int:
    # `^` after a base that goes on is older than what goes on: 1.0^a < 1.0.1.
    if mark == "^" and mine and other:
        return -1 if mine == mark else 1
    return before if mine == mark else -before
