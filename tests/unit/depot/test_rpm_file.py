"""RPM files: whole and legal, or refused; and what they say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depot import header, rpm_file
from depot.package import Package
from depot.reading import inspect
from depot.rpm_file import read_rpm
from dsmt_core.errors import Invalid
from tests.unit.depot.crafted import LEAD, PAYLOAD, Values, member, pinger, plain_tar, rpm_bytes

WriteFile = Callable[[bytes], Path]


def test_a_package_says_what_it_is() -> None:
    read = read_rpm(io.BytesIO(rpm_bytes()))
    assert (read.name, read.epoch, read.version, read.release) == ("pinger", 0, "1.8", "1")
    assert read.arch == "noarch"
    assert read.requires == ("libping = 2:1.0-1", "/bin/sh")
    assert read.provides == ("pinger = 1.8-1",)
    assert read.files == {"/usr/local/pinger/pinger", "/usr/local/pinger/start.sh"}


def test_what_rpm_itself_must_be_able_to_do_is_left_out() -> None:
    assert not any("rpmlib" in one for one in read_rpm(io.BytesIO(rpm_bytes())).requires)


def test_an_old_package_is_read_by_its_md5() -> None:
    assert read_rpm(io.BytesIO(rpm_bytes(old=True))).name == "pinger"
    with pytest.raises(Invalid, match="content does not have the digest"):
        read_rpm(io.BytesIO(rpm_bytes(old=True)[:-1] + b"x"))


@pytest.mark.parametrize("old", [False, True])
def test_a_package_cut_off_anywhere_is_refused(*, old: bool) -> None:
    whole = rpm_bytes(old=old)
    for size in range(len(whole)):
        with pytest.raises(Invalid):
            read_rpm(io.BytesIO(whole[:size]))


def test_more_bytes_than_it_states_are_refused() -> None:
    with pytest.raises(Invalid, match="cut off or damaged"):
        read_rpm(io.BytesIO(rpm_bytes() + b"more"))


@given(st.data())
@settings(max_examples=300)
def test_an_altered_header_or_content_is_refused(data: st.DataObject) -> None:
    whole = bytearray(rpm_bytes())
    # The signature header comes before and has no digest of its own; what it states is checked.
    begin = whole.rindex(b"\x8e\xad\xe8\x01")
    place = data.draw(st.integers(begin, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Invalid):
        read_rpm(io.BytesIO(bytes(whole)))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_after_the_magic_are_refused_in_our_words(content: bytes, place: int) -> None:
    whole = rpm_bytes()
    for altered in (LEAD + content, whole[:place] + content + whole[place + len(content) + 1 :]):
        with pytest.raises(Invalid):
            read_rpm(io.BytesIO(altered))


UNUSABLE: dict[str, dict[int, Values]] = {
    "a name with a space": {1000: "a b"},
    "an empty name": {1000: ""},
    "a version with a hyphen": {1001: "1-8"},
    "a name that climbs": {1000: "../x"},
    "a long name": {1000: "x" * 200},
    "a long version with a long release": {1001: "1" * 100, 1002: "1" * 100},
    "a long architecture": {1022: "a" * 100},
    "a wrapper of nothing": {1000: "dsmtw_"},
    "a requirement of many words": {1048: [8], 1049: ["a b c"], 1050: ["1"]},
    "an epoch that is no number": {1048: [8], 1049: ["a"], 1050: ["x:1"]},
    "as many names as versions no more": {1048: [8], 1049: ["a", "b"], 1050: ["1"]},
    "a directory that is not there": {1116: [0, 7]},
    "a name that is a number": {1000: [7]},
    "an epoch that is a text": {1003: "7"},
    "a source package": {1106: [1]},
    "a digest by an unknown algorithm": {5093: [99]},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_is(case: str, file_of: WriteFile) -> None:
    with pytest.raises(Invalid):
        inspect(file_of(rpm_bytes(UNUSABLE[case])))


def test_paths_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpm_file, "_PATHS_BYTES", 30)
    with pytest.raises(Invalid, match="too long"):
        read_rpm(io.BytesIO(rpm_bytes()))
    monkeypatch.setattr(header, "_VALUES", 1)
    with pytest.raises(Invalid, match="values"):
        read_rpm(io.BytesIO(rpm_bytes()))


def test_a_wrapper_names_its_application(file_of: WriteFile) -> None:
    said = inspect(file_of(rpm_bytes({1000: "dsmtw_pinger"})))
    assert (said.kind, said.application, said.version) == ("rpm", "pinger", "1.8-1")


def test_a_package_with_the_three_scripts_is_an_application(file_of: WriteFile) -> None:
    scripts: dict[int, Values] = {
        1116: [0, 0, 0],
        1117: ["start", "stop", "status"],
        1118: ["/opt/dsmt/pinger/"],
    }
    assert inspect(file_of(rpm_bytes(scripts))).application == "pinger"
    assert inspect(file_of(rpm_bytes())).application == ""


def test_an_epoch_stands_in_the_version(file_of: WriteFile) -> None:
    assert inspect(file_of(rpm_bytes({1003: [3]}))).version == "3:1.8-1"


def test_alternatives_are_left_to_rpm(file_of: WriteFile) -> None:
    said = inspect(file_of(rpm_bytes({1048: [0, 8], 1049: ["(a or b)", "c"], 1050: ["", "1"]})))
    assert said.requires == ("c = 1",)


def test_a_tarball_with_a_start_script_is_a_package(file_of: WriteFile) -> None:
    said = inspect(file_of(plain_tar(pinger())))
    assert (said.kind, said.name, said.version, said.application) == ("tar", "pinger", "1.8", "pinger")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#!/bin/sh\necho hello\n",
        b"\x7fELF" + bytes(2000),
        PAYLOAD,
        plain_tar([member("pinger-1.8/README", b"x")]),
        plain_tar([member("pinger-1.8/start.sh", b"x", mode=0o644)]),
        plain_tar([member("pinger/start.sh", b"x", mode=0o755)]),
        plain_tar([member("mine-1.8/agent.sh", b"x", mode=0o644)]),
    ],
)
def test_anything_else_is_not_a_package(content: bytes, file_of: WriteFile) -> None:
    with pytest.raises(Invalid, match="not a package") as refused:
        inspect(file_of(content))
    assert refused.value.hint


def test_an_agent_is_no_application(file_of: WriteFile) -> None:
    said = inspect(file_of(plain_tar(pinger(member("pinger-1.8/agent.sh", b"#!/bin/sh\n", mode=0o755)))))
    assert (said.kind, said.name, said.version, said.application) == ("agent", "pinger", "1.8", "")
    assert Package.read(json.dumps(Package("d" * 64, 7, said).record())).said == said
