"""From where a secret is read: never from the command line itself."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from dsmt_core.errors import Full, Invalid
from dsmtc.commands.secret import _read, _table, _told
from dsmtc.rendering.table import lines


def test_a_secret_comes_from_a_file_or_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "word"
    path.write_bytes(b"\x00secret\n")
    assert _read(f"@{path}") == b"\x00secret\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    assert _read("-") == b"piped"
    path.write_bytes(bytes(70_000))
    with pytest.raises(Full):
        _read(f"@{path}")


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not written on the command line") as refused:
        _read("hunter2")
    assert "hunter2" not in refused.value.message + refused.value.hint
    with pytest.raises(Invalid, match="cannot be read"):
        _read(f"@{tmp_path}/nothing")


def test_who_uses_an_older_content_is_told() -> None:
    shown = {
        "name": "word",
        "put_at": 0.0,
        "put_by": "a@b.c",
        "used_by": ["pinger"],
        "outdated_in": ["pinger"],
    }
    assert "dsmtc configure pinger --secret word" in _told(shown)  # type: ignore[arg-type]
    fresh = {**shown, "used_by": [], "outdated_in": []}
    assert "use it with dsmtc configure APPLICATION --secret word" in _told(fresh)  # type: ignore[arg-type]
    assert _table([], 0.0) == ["the slice has no secrets; dsmtc secret put NAME @FILE"]
    assert any("pinger" in line for line in lines(_table([shown], 60.0)))  # type: ignore[list-item]
