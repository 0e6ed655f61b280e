"""Which packages make up an application."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.packages import PackageRef
from planner.requirements import Package, Requirement, newest, resolve, scripts_of


def package(name: str, version: str = "1-1", *requires: str, provides: tuple[str, ...] = ()) -> Package:
    return Package(
        filename=f"{name}-{version}.rpm",
        digest="0" * 64,
        size=1,
        kind="rpm",
        name=name,
        version=version,
        requires=requires,
        provides=provides,
        application=name.removeprefix("dsmtw_") if name.startswith("dsmtw_") else "",
    )


def names(packages: tuple[Package, ...]) -> list[str]:
    return [f"{one.name} {one.version}" for one in packages]


def test_what_is_required_comes_first_and_the_wrapper_last() -> None:
    wrapper = package("dsmtw_a", "1-1", "a = 1-1")
    depot = [wrapper, package("a", "1-1", "library >= 2"), package("library", "2-1")]
    assert names(resolve(wrapper, depot).packages) == ["library 2-1", "a 1-1", "dsmtw_a 1-1"]


def test_the_newest_that_satisfies_is_taken() -> None:
    wrapper = package("dsmtw_a", "1-1", "a >= 1", "a < 3")
    depot = [wrapper, *(package("a", f"{version}-1") for version in ("1", "2", "10", "2.5"))]
    assert names(resolve(wrapper, depot).packages) == ["a 2.5-1", "dsmtw_a 1-1"]
    exact = package("dsmtw_a", "1-1", "a = 2-1")
    assert names(resolve(exact, [exact, *depot]).packages) == ["a 2-1", "dsmtw_a 1-1"]


def test_a_wrapper_waits_for_what_it_requires_by_name() -> None:
    wrapper = package("dsmtw_a", "1-1", "a = 1-1", "/bin/sh", "libc.so.6()(64bit)", "(x or y)")
    resolution = resolve(wrapper, [wrapper, package("a", "2-1")])
    assert resolution.packages == ()
    assert resolution.missing == "the depot of the slice lacks a = 1-1 (required by dsmtw_a-1-1.rpm)"


def test_what_an_application_requires_of_the_system_is_not_waited_for() -> None:
    wrapper = package("dsmtw_a", "1-1", "a")
    depot = [wrapper, package("a", "1-1", "python3 >= 3.9", "/usr/bin/env")]
    assert names(resolve(wrapper, depot).packages) == ["a 1-1", "dsmtw_a 1-1"]


def test_a_package_in_a_wrong_version_is_not_taken_for_the_systems() -> None:
    wrapper = package("dsmtw_a", "1-1", "a")
    depot = [wrapper, package("a", "1-1", "library >= 2"), package("library", "1-1")]
    assert "library >= 2" in resolve(wrapper, depot).missing


def test_what_a_package_provides_satisfies() -> None:
    wrapper = package("dsmtw_a", "1-1", "web-server >= 2")
    server = package("nginx", "1-1", provides=("web-server = 2.1", "nginx = 1-1"))
    assert names(resolve(wrapper, [wrapper, server]).packages) == ["nginx 1-1", "dsmtw_a 1-1"]


def test_a_cycle_of_packages_ends() -> None:
    wrapper = package("dsmtw_a", "1-1", "a")
    depot = [wrapper, package("a", "1-1", "b"), package("b", "1-1", "a")]
    assert names(resolve(wrapper, depot).packages) == ["b 1-1", "a 1-1", "dsmtw_a 1-1"]


def test_a_requirement_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Invalid):
        Requirement.parse("a ~> 1")


def test_the_scripts_of_an_exact_version_are_found() -> None:
    depot = [package("dsmtw_a", "1-1"), package("dsmtw_a", "2-1"), package("a", "3-1")]
    newest_scripts, exact = scripts_of("a", depot), scripts_of("a", depot, "1-1")
    assert newest_scripts is not None
    assert exact is not None
    assert (newest_scripts.version, exact.version) == ("2-1", "1-1")
    assert scripts_of("a", depot, "7-1") is None
    assert newest([]) is None


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.lists(st.sampled_from("abcde"), max_size=3)), max_size=8
    )
)
def test_every_package_stands_once_and_after_the_wrapper_comes_nothing(
    drawn: list[tuple[str, list[str]]],
) -> None:
    depot = [package(name, f"{number}-1", *requires) for number, (name, requires) in enumerate(drawn)]
    wrapper = package("dsmtw_a", "1-1", *sorted({name for name, _ in drawn}))
    resolution = resolve(wrapper, [wrapper, *depot])
    found = [one.name for one in resolution.packages]
    assert not resolution.missing
    assert len(found) == len(set(found))
    assert found[-1] == "dsmtw_a"
    assert set(found[:-1]) == {name for name, _ in drawn}


@pytest.mark.parametrize(
    ("text", "name", "operator", "version"),
    [
        ("pinger", "pinger", "", ""),
        (" pinger ", "pinger", "", ""),
        ("pinger >= 1.8-1", "pinger", ">=", "1.8-1"),
        ("pinger == 1", "pinger", "=", "1"),
        ("(a or b)", "(a or b)", "", ""),
    ],
)
def test_a_requirement_is_read_and_written(text: str, name: str, operator: str, version: str) -> None:
    read = Requirement.parse(text)
    assert read == Requirement(name, operator, version)
    assert str(read) == f"{name} {operator} {version}".strip()


@pytest.mark.parametrize("text", ["", "a b", "a >= 1 2", "a => 1", "x" * 90 + " y"])
def test_what_is_no_requirement_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Requirement.parse(text)
    assert refused.value.message == f"{text[:80]!r} is not a requirement"
    assert refused.value.hint == "such as: pinger >= 1.8-1"


@pytest.mark.parametrize(
    ("operator", "met"),
    [("<", "100"), ("<=", "110"), ("=", "010"), (">=", "011"), (">", "001")],
)
def test_each_operator_compares_as_rpm_does(operator: str, met: str) -> None:
    requirement = Requirement("a", operator, "2-1")
    assert [requirement.met_by(version) for version in ("1-9", "2-1", "10-1")] == [
        one == "1" for one in met
    ]
    assert not requirement.met_by("")
    assert Requirement("a").met_by("")


@pytest.mark.parametrize(
    ("name", "is_of_system"),
    [
        ("/bin/sh", True),
        ("libc.so.6()(64bit)", True),
        ("(a or b)", True),
        ("pinger", False),
        ("a/b", False),
    ],
)
def test_files_libraries_and_conditions_are_the_systems(name: str, *, is_of_system: bool) -> None:
    assert Requirement(name).is_of_system is is_of_system


def test_of_equal_versions_the_one_put_last_is_taken() -> None:
    first, second = package("a", "1-1"), package("a", "1-1")
    older, newer = replace(first, put_at=1.0), replace(second, put_at=2.0, digest="1" * 64)
    assert newest([newer, older]) is newer
    assert newest([older, newer]) is newer


def test_a_package_is_named_in_an_order_by_its_content() -> None:
    assert package("a", "1-1").ref == PackageRef("0" * 64, 1, "a-1-1.rpm")


def test_all_that_is_missing_is_told_once() -> None:
    wrapper = package("dsmtw_a", "1-1", "a", "b >= 2", "a")
    resolution = resolve(wrapper, [wrapper, package("c", "1-1", provides=("b = 1", "", "b-b"))])
    assert resolution.missing == (
        "the depot of the slice lacks a (required by dsmtw_a-1-1.rpm), b >= 2 (required by dsmtw_a-1-1.rpm)"
    )


def test_what_is_provided_without_a_version_satisfies_a_requirement_without_one() -> None:
    server = package("nginx", "1-1", provides=("web",))
    for wish, there in (("web", True), ("web >= 1", False)):
        wrapper = package("dsmtw_a", "1-1", wish)
        assert bool(resolve(wrapper, [wrapper, server]).packages) is there
