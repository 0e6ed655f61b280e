"""Which packages make up an application."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
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
    assert "a 10-1" in names(resolve(wrapper, depot).packages)
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
