"""``dsmtc configure``: what a file may hold, and what its words mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsmt_core.errors import DsmtError, Full, Invalid
from dsmtc.commands.configure import FILE_BYTES, _parted, read_file
from dsmtc.pace import chosen, limit, sizes


def test_the_first_word_is_the_application_unless_it_sets_a_value() -> None:
    assert _parted([]) == ("", [])
    assert _parted(["pinger", "a=1"]) == ("pinger", ["a=1"])
    assert _parted(["a=1", "b=2"]) == ("", ["a=1", "b=2"])


def test_json_and_toml_are_read_and_plain_values_are_texts(tmp_path: Path) -> None:
    wanted = {"greeting": "hello", "level": "3", "share": "0.5", "loud": "true"}
    json_file, toml_file = tmp_path / "a.json", tmp_path / "a.toml"
    json_file.write_text('\ufeff{"greeting": "hello", "level": 3, "share": 0.5, "loud": true}')
    toml_file.write_text('# why\ngreeting = "hello"\nlevel = 3\nshare = 0.5\nloud = true\n')
    assert read_file(json_file) == read_file(toml_file) == wanted


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[" * 20_000, "is not JSON"),
        ("a.json", b"\xff", "is not JSON"),
        ("a.toml", b"a = ", "is not TOML"),
        ("a.json", b'["a"]', "holds no names"),
        ("a.json", b'{"a": null}', "neither a text nor a number"),
        ("a.toml", b"[a]\nb = 1", "the value of 'a'"),
    ],
)
def test_what_is_no_plain_configuration_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=says):
        read_file(tmp_path / name)


def test_a_file_that_is_missing_or_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        read_file(tmp_path / "none.json")
    with pytest.raises(Invalid, match="cannot be read: Is a directory"):
        read_file(tmp_path)
    (tmp_path / "a.json").write_bytes(b" " * (FILE_BYTES + 1))
    with pytest.raises(Full, match="is longer than"):
        read_file(tmp_path / "a.json")


def test_how_a_roll_out_goes_is_read_alike_by_every_verb() -> None:
    assert sizes("") == []
    assert sizes("1, 10%,100%") == ["1", "10%", "100%"]
    assert chosen("", "", "", "") == {}
    assert chosen("30s", "5m", "3", "90%") == {
        "min_healthy_s": 30.0,
        "deadline_s": 300.0,
        "errors": "3",
        "need": "90%",
    }
    assert (limit(""), limit("2m")) == (None, 120.0)
    with pytest.raises(DsmtError, match="--deadline"):
        chosen("", "soon", "", "")
