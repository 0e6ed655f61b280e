"""Versions of packages, ordered as the tools of their kind order them: rpm, dpkg, Python.

Rule: versions of different kinds are never compared; one that its kind does not know is older than all.
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any, Final

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

from dsmt_core.packages import Version

_RUNS: Final = re.compile(r"[0-9]+|[^0-9]+")


def compare(kind: str, left: str, right: str) -> int:
    """-1, 0 or 1.

    Args:
        kind: of the packages: rpm, tar, deb or wheel.
        left: as a package says it.
        right: the same, or as a requirement says it.

    Raises:
        Invalid: one is not a version (of rpm or tar packages).
    """
    if kind == "deb":
        return _compare_debian(left, right)
    if kind == "wheel":
        mine, other = _python(left), _python(right)
        return (mine > other) - (mine < other)
    return Version.parse(left).compare(Version.parse(right))


def key(kind: str) -> Any:
    """A key for sorting texts of versions of one kind."""
    return cmp_to_key(lambda left, right: compare(kind, left, right))


def _python(text: str) -> tuple[int, PythonVersion]:
    try:
        return 1, PythonVersion(text)
    except InvalidVersion:
        return 0, PythonVersion("0")


def _compare_debian(left: str, right: str) -> int:
    """As dpkg does (deb-version(7)): epoch, upstream version, revision after the last hyphen."""
    mine, other = _parts(left), _parts(right)
    if mine[0] != other[0]:
        return -1 if mine[0] < other[0] else 1
    return _compare_texts(mine[1], other[1]) or _compare_texts(mine[2], other[2])


def _parts(text: str) -> tuple[int, str, str]:
    epoch, colon, rest = text.partition(":")
    if not (colon and epoch.isascii() and epoch.isdecimal()):
        epoch, rest = "0", text
    upstream, hyphen, revision = rest.rpartition("-")
    return int(epoch), upstream if hyphen else rest, revision if hyphen else "0"


def _compare_texts(left: str, right: str) -> int:
    mine, other = _runs(left), _runs(right)
    for index in range(max(len(mine), len(other))):
        one = mine[index] if index < len(mine) else ""
        two = other[index] if index < len(other) else ""
        if index % 2:
            order = (int(one or 0) > int(two or 0)) - (int(one or 0) < int(two or 0))
        else:
            order = _compare_letters(one, two)
        if order:
            return order
    return 0


def _runs(text: str) -> list[str]:
    """Runs that are no digits and runs of digits in turn, beginning with the first kind."""
    found = _RUNS.findall(text)
    return ["", *found] if found and found[0][0].isdigit() else found


def _compare_letters(left: str, right: str) -> int:
    """Letters before all else, and a tilde even before the end."""
    for index in range(max(len(left), len(right))):
        one, two = _weight(left, index), _weight(right, index)
        if one != two:
            return -1 if one < two else 1
    return 0


def _weight(text: str, index: int) -> int:
    if index >= len(text):
        return 0
    character = text[index]
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256
