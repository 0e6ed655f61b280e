"""Versions as rpm orders them, and references to packages."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core import packages
from dsmt_core.errors import Invalid
from dsmt_core.packages import PackageRef, Version, rpmvercmp

# From rpm's manual page rpm-version(7) and the behaviour it documents.
ORDERED = [
    ("1.0", "1.0", 0),
    ("1.0", "1.1", -1),
    ("1.10", "1.9", 1),
    ("1.05", "1.5", 0),
    ("1.0a", "1.0", 1),
    ("1.0a", "1.0b", -1),
    ("2a", "2.0", -1),
    ("1.0~rc1", "1.0", -1),
    ("1.0~rc1", "1.0~rc2", -1),
    ("1.0^git1", "1.0", 1),
    ("1.0^git1", "1.0.1", -1),
    ("1.0^git1~pre", "1.0^git1", -1),
    ("1_0", "1.0", 0),
    ("10", "9", 1),
    ("", "1", -1),
]


@pytest.mark.parametrize(("left", "right", "order"), ORDERED)
def test_versions_are_ordered_as_documented(left: str, right: str, order: int) -> None:
    assert rpmvercmp(left, right) == order
    assert rpmvercmp(right, left) == -order


versions = st.text("019.~^-ab_", min_size=1, max_size=8).map(lambda text: text.replace("-", "."))


@pytest.mark.skipif(not shutil.which("rpm"), reason="rpm is not installed")
def test_versions_are_ordered_as_real_rpm_does() -> None:
    pairs: list[tuple[str, str]] = []

    @given(versions, versions)
    def collect(left: str, right: str) -> None:
        pairs.append((left, right))

    collect()
    script = "\n".join(f'print(rpm.vercmp("{left}", "{right}") .. " ")' for left, right in pairs)
    said = subprocess.run(
        ["rpm", "--eval", f"%{{lua:{script}}}"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert [rpmvercmp(left, right) for left, right in pairs] == [int(order) for order in said]


def test_epoch_and_release_count_and_a_missing_release_does_not() -> None:
    assert Version.parse("1:1.0-1") > Version.parse("2.0-1")
    assert Version.parse("1.8-2") > Version.parse("1.8-1")
    assert Version.parse("1.8") == Version.parse("1.8-1")
    assert str(Version.parse("0:1.8-1")) == "1.8-1"
    assert str(Version.parse("2:1.8")) == "2:1.8"
    for text in ("", ":1", "x:1", "-1"):
        with pytest.raises(Invalid):
            Version.parse(text)


def test_a_reference_survives_its_text_and_bad_ones_are_refused() -> None:
    ref = PackageRef("0f" * 32, 12, "pinger-1.8.noarch.rpm")
    assert PackageRef.parse(str(ref)) == ref
    for text in ("", "abc/1/x", f"{'0f' * 32}/x/y", f"{'0f' * 32}/1/", f"{'0f' * 32}/1/.hidden"):
        with pytest.raises(Invalid):
            PackageRef.parse(text)


def test_a_wrapper_names_its_application() -> None:
    assert packages.wrapped_application("dsmtw_pinger") == "pinger"
    assert packages.wrapped_application("pinger") is None
