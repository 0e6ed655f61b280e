"""What may go from a depot: never what is needed, whatever else it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.packages import Version
from planner.requirements import Package, resolve
from planner.retention import Retention, Sorted, Uses, sort

NOW = 1_000_000.0
NOTHING = Uses({}, {})


def package(name: str, version: str, *, requires: tuple[str, ...] = (), age: float = 1e5) -> Package:
    filename = f"{name}-{version}.rpm"
    return Package(
        filename=filename,
        digest=f"digest of {filename}",
        size=10,
        kind="rpm",
        name=name,
        version=version,
        requires=requires,
        provides=(f"{name} = {version}",),
        application=name.removeprefix("dsmtw_") if name.startswith("dsmtw_") else "",
        put_at=NOW - age,
    )


def both(version: str, *, age: float = 1e5) -> list[Package]:
    """A package, and the wrapper that requires exactly it."""
    wrapper = package("dsmtw_a", version, requires=(f"a = {version}",), age=age)
    return [package("a", version, age=age), wrapper]


DEPOT = [one for minor in range(6) for one in both(f"1.{minor}-1")]


def gone(found: Sorted) -> list[str]:
    return sorted({one.version for one in found.gone})


def test_the_newest_versions_stay() -> None:
    assert gone(sort(DEPOT, NOTHING, Retention(2), now=NOW)) == ["1.0-1", "1.1-1", "1.2-1", "1.3-1"]
    assert gone(sort(DEPOT, NOTHING, Retention(6), now=NOW)) == []


def test_what_is_wanted_stays_with_what_it_requires_and_the_version_before() -> None:
    found = sort(DEPOT, Uses({}, {("a", "1.2-1"): "wanted as a"}), Retention(1), now=NOW)
    assert gone(found) == ["1.0-1", "1.3-1", "1.4-1"]
    assert found.kept == {
        "dsmtw_a-1.2-1.rpm": "wanted as a",
        "a-1.2-1.rpm": "required by dsmtw_a-1.2-1.rpm",
        "dsmtw_a-1.1-1.rpm": "the version to go back to",
        "a-1.1-1.rpm": "required by dsmtw_a-1.1-1.rpm",
        "dsmtw_a-1.5-1.rpm": "among the 1 newest versions",
        "a-1.5-1.rpm": "among the 1 newest versions",
    }


def test_what_an_order_names_stays_by_its_digest() -> None:
    found = sort(DEPOT, Uses({"digest of a-1.0-1.rpm": "in use by a"}, {}), Retention(1), now=NOW)
    assert found.kept["a-1.0-1.rpm"] == "in use by a"
    assert "dsmtw_a-1.0-1.rpm" not in found.kept


def test_what_was_put_lately_or_in_the_future_stays() -> None:
    depot = [*both("1.0-1", age=-50), *both("1.1-1", age=10), *both("1.2-1", age=1000), *both("1.3-1")]
    found = sort(depot, NOTHING, Retention(1, older_than=100), now=NOW)
    assert gone(found) == ["1.2-1"]


@pytest.mark.parametrize(
    ("kind", "ascending"),
    [
        ("deb", ("1.0~rc1-1", "1.0-1", "1.0a-1", "1:0.1-1")),
        ("wheel", ("1.0rc1", "1.0", "1.10", "1!0.1")),
        ("rpm", ("1.0~rc1-1", "1.0-1", "1.10-1", "1:0.1-1")),
    ],
)
def test_versions_are_ordered_as_the_tools_of_their_kind_order_them(
    kind: str, ascending: tuple[str, ...]
) -> None:
    depot = [replace(package("dsmtw_a", version), kind=kind) for version in ascending]
    for at, version in enumerate(ascending):
        found = sort(depot[::-1], Uses({}, {("a", version): "wanted as a"}), Retention(1), now=NOW)
        before = {ascending[at - 1]} if at else set()
        assert {one.version for one in found.gone} == set(ascending[:-1]) - {version} - before


def test_versions_of_different_kinds_are_not_compared() -> None:
    depot = [package("a", "2.0-1"), replace(package("a", "1.0"), kind="deb", filename="a.deb")]
    assert gone(sort(depot, NOTHING, Retention(1), now=NOW)) == []


def test_nothing_in_the_depot_is_nothing_to_sort() -> None:
    assert sort([], NOTHING, Retention(), now=NOW) == Sorted((), {})


@pytest.mark.parametrize(
    ("keep", "age"), [(0, 0.0), (1001, 0.0), (1, -1.0), (1, float("inf")), (1, float("nan"))]
)
def test_numbers_out_of_bounds_are_refused(keep: int, age: float) -> None:
    with pytest.raises(Invalid):
        Retention.of(keep, age)
    assert Retention.of(1, 0.0) == Retention(1, 0.0)


@given(
    versions=st.lists(st.integers(0, 9), unique=True, max_size=8),
    used=st.sets(st.integers(0, 9)),
    keep=st.integers(1, 4),
    older=st.floats(0, 2e5),
)
def test_whatever_goes_nothing_that_is_needed_went(
    versions: list[int], used: set[int], keep: int, older: float
) -> None:
    depot = [one for number in versions for one in both(f"1.{number}-1")]
    uses = Uses({}, {("a", f"1.{number}-1"): "wanted" for number in used})
    found = sort(depot, uses, Retention(keep, older), now=NOW)
    left = [one for one in depot if one not in found.gone]
    assert {one.filename for one in left} == set(found.kept)
    for number in used & set(versions):
        wrapper = next(one for one in left if one.name == "dsmtw_a" and one.version == f"1.{number}-1")
        assert not resolve(wrapper, left).missing
    newest = sorted(versions)[-keep:]
    assert {one.version for one in left} >= {f"1.{number}-1" for number in newest}
    lower = [number for number in versions if number < min(used & set(versions), default=0)]
    if lower:
        assert Version.parse(f"1.{max(lower)}-1") in {Version.parse(one.version) for one in left}
    for one in left:
        assert not one.application or not resolve(one, left).missing
