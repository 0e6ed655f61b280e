"""``name=@file``: read where the person is, bounded, and with an error that tells what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsmt_core.errors import DsmtError, Full, Invalid
from dsmtc.commandline import Misused
from dsmtc.parameters import FILE_BYTES, plan_and_parameters, read_parameters


def test_a_file_is_read_and_everything_else_is_as_written(tmp_path: Path) -> None:
    file = tmp_path / "q.xml"
    file.write_text("\ufeff<request/>", encoding="utf-8")
    assert read_parameters([f"query=@{file}", "parent=good", "by=@@x", "expr=a='@'"]) == {
        "query": "<request/>",
        "parent": "good",
        "by": "@x",
        "expr": "a='@'",
    }
    assert read_parameters(None) == {}


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"x" * (FILE_BYTES + 1), Full, ["longer than 65536 bytes"]),
        (b"\xff\xfe", Invalid, ["not UTF-8 text: byte 0"]),
        (None, Invalid, ["cannot be read: No such file", "query=@@"]),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(
    tmp_path: Path, content: bytes | None, kind: type[DsmtError], words: list[str]
) -> None:
    file = tmp_path / "q.xml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(kind) as refused:
        read_parameters([f"query=@{file}"])
    told = f"{refused.value.message} {refused.value.hint}"
    assert all(word in told for word in words), told


def test_neither_a_directory_nor_nothing_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is not a file"):
        read_parameters([f"query=@{tmp_path}"])
    with pytest.raises(Invalid, match="names no file"):
        read_parameters(["query=@"])


@pytest.mark.parametrize(
    ("plan", "words", "read"),
    [
        ("only3", [], ("only3", {})),
        ("", ["only3"], ("only3", {})),
        ("", ["limit", "count=3"], ("limit", {"count": "3"})),
        ("limit", ["count=3"], ("limit", {"count": "3"})),
    ],
)
def test_a_plan_is_named_by_its_option_or_first(plan: str, words: list[str], read: object) -> None:
    assert plan_and_parameters(plan, words) == read


@pytest.mark.parametrize("words", [[], ["count=3"]])
def test_no_plan_is_told(words: list[str]) -> None:
    with pytest.raises(Misused, match="no plan"):
        plan_and_parameters("", words)


def test_a_second_plan_is_no_parameter() -> None:
    with pytest.raises(DsmtError):
        plan_and_parameters("only3", ["only10"])
