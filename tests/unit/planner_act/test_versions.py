"""Versions are ordered as the tools of their kind order them: of Debian's, dpkg itself is asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import versions

DEBIAN = (
    st.tuples(
        st.sampled_from(["", "0:", "1:"]),
        st.sampled_from(["0", "1", "10"]),
        st.lists(
            st.sampled_from(["0", "1", "10", "a", "b", "Z", ".", "+", "~", "~~", "-"]), max_size=6
        ).map("".join),
        st.sampled_from(["", "-1", "-1~a", "-0"]),
    )
    .map("".join)
    .filter(lambda text: not text.endswith("-"))
)


def _asked_dpkg(left: str, right: str) -> int:
    def says(relation: str) -> bool:
        argv = ["dpkg", "--compare-versions", left, relation, right]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    return -1 if says("lt") else int(says("gt"))


def _agrees(
    ours: Callable[[str, str], int], theirs: Callable[[str, str], int], left: str, right: str
) -> None:
    assert ours(left, right) == theirs(left, right), (left, right)
    assert ours(left, right) == -ours(right, left)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is missing")
@settings(max_examples=150, deadline=None)
@given(left=DEBIAN, right=DEBIAN)
def test_dpkg_itself_orders_in_the_same_way(left: str, right: str) -> None:
    _agrees(lambda one, two: versions.compare("deb", one, two), _asked_dpkg, left, right)


@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [
        ("deb", "1.0~rc1-1", "1.0-1"),
        ("deb", "9:1.0", "10:0.1"),
        ("deb", "1.0-9", "1.0-10"),
        ("deb", "1.0-1-9", "1.0-2-1"),
        ("deb", "1.0a", "1.0+"),
        ("wheel", "1.0rc1", "1.0"),
        ("wheel", "1.0", "1.0.post1"),
        ("wheel", "1.9", "1.10"),
        ("wheel", "nonsense", "0.0"),
        ("rpm", "1.8~rc1-1", "1.8-1"),
        ("tar", "1.8", "1.10"),
    ],
)
def test_each_kind_has_its_own_order(kind: str, older: str, newer: str) -> None:
    assert (versions.compare(kind, older, newer), versions.compare(kind, newer, older)) == (-1, 1)
    assert versions.compare(kind, newer, newer) == 0
    assert sorted([newer, older], key=versions.key(kind)) == [older, newer]


def test_versions_that_are_written_differently_may_be_the_same() -> None:
    assert versions.compare("wheel", "1.0", "1.0.0") == 0
    assert versions.compare("deb", "0:1.0", "1.0-0") == 0
    assert versions.compare("deb", "1.00", "1.0") == 0
