"""Names, versions, paths and dependencies: legal afterwards, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot import naming
from dsmt_core.errors import Invalid
from dsmt_core.packages import rpmvercmp


@pytest.mark.parametrize(
    ("top", "version", "names"),
    [
        ("pinger-1.8", "", ("pinger", "1.8")),
        ("pinger-v1.8", "", ("pinger", "1.8")),
        ("my-tool-2.0", "", ("my-tool", "2.0")),
        ("org.example.tool-2.0", "", ("org.example.tool", "2.0")),
        ("pinger-1.8-rc1", "", ("pinger", "1.8~rc1")),
        ("pinger-1.8-2", "", ("pinger", "1.8_2")),
        ("pinger-2026-11-23", "", ("pinger", "2026_11_23")),
        ("lib2to3-x-1.0", "", ("lib2to3-x", "1.0")),
        ("pinger", "1.9", ("pinger", "1.9")),
        ("pinger-1.8", "1.9", ("pinger", "1.9")),
        ("pinger-snapshot", "snapshot", ("pinger", "snapshot")),
    ],
)
def test_a_top_directory_is_split_into_name_and_version(
    top: str, version: str, names: tuple[str, str]
) -> None:
    found = naming.names_of(top, version)
    assert (found.application, found.version) == names


@pytest.mark.parametrize(
    ("top", "version"),
    [
        ("pinger", ""),
        ("-1.8", ""),
        ("a b-1.8", ""),
        ("dsmtw_pinger-1.8", ""),
        ("größe-1.8", ""),
        ("pinger-1.8", "1 8"),
        ("pinger-1.8", "%{x}"),
        ("pinger-1.8$(id)", ""),
        ("x" * 70 + "-1", ""),
        ("pinger-" + "1" * 70, ""),
    ],
)
def test_an_illegal_name_or_version_is_refused(top: str, version: str) -> None:
    with pytest.raises(Invalid) as refused:
        naming.names_of(top, version)
    assert "\n" not in str(refused.value)


def test_a_candidate_is_older_than_its_release() -> None:
    assert rpmvercmp(naming.rpm_version("1.8-rc1"), naming.rpm_version("1.8")) < 0
    assert rpmvercmp(naming.rpm_version("1.8"), naming.rpm_version("1.8-2")) < 0


def test_dependencies_are_written_as_rpm_has_them() -> None:
    assert naming.dependencies("a >= 1.0,b, c=2:1.0-1 ,") == ("a >= 1.0", "b", "c = 2:1.0-1")
    assert naming.dependencies("") == ()


@pytest.mark.parametrize("text", ["a >", "a >= 1.0 b", "%{x}", "a\nRequires: b", ">= 1", "a ~ 1"])
def test_what_is_no_dependency_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        naming.dependencies(text)


@pytest.mark.parametrize(
    "text", ["usr/local", "/", "", "/usr/../etc", "/usr/lo cal", "/usr/%{x}", "/a\n/b"]
)
def test_a_directory_that_is_not_plain_and_absolute_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        naming.install_directory(text)


def test_a_final_slash_changes_nothing() -> None:
    assert naming.install_directory("/usr/local/") == "/usr/local"


@pytest.mark.parametrize("path", ["/usr/local/pinger/bin/go", "bin/go"])
def test_a_script_is_named_absolutely_or_from_the_application(path: str) -> None:
    assert naming.inside(path, "/usr/local/pinger") == "bin/go"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/usr/local/pinger", "../x", "/usr/local/pinger/../x", "/usr/local/pinger2/x"]
)
def test_a_script_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        naming.inside(path, "/usr/local/pinger")


def test_a_script_with_a_space_is_quoted() -> None:
    assert naming.script("/opt/a b/it's") == "#!/bin/sh\nexec '/opt/a b/it'\"'\"'s' \"$@\"\n"


@pytest.mark.parametrize("text", ["", "X86", "x86 64", "../x"])
def test_what_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        naming.target_arch(text)


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_gives_names_for_a_spec_file_or_is_refused(top: str, version: str) -> None:
    try:
        names = naming.names_of(top, version)
    except Invalid:
        return
    for text in names.application, names.version:
        assert text.isascii()
        assert not set(text) & set(" \n%/\\\"'$`{}")
    assert "-" not in names.version
