"""A state file is whole, or it is not believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents import state_file

STATE = {"generation": 7, "wanted": True, "name": "ü"}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    state_file.save(tmp_path / "order.json", STATE)
    assert state_file.load(tmp_path / "order.json") == state_file.Loaded(STATE)
    assert (tmp_path / "order.json").stat().st_mode & 0o777 == 0o600


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    assert state_file.load(tmp_path / "order.json") == state_file.Loaded(None)


@pytest.mark.parametrize("keep", [0, 1, 20, 60])
def test_a_truncated_file_is_set_aside_with_the_reason(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "order.json"
    state_file.save(path, STATE)
    path.write_bytes(path.read_bytes()[:keep])
    loaded = state_file.load(path)
    assert loaded.value is None
    assert "torn" in loaded.reason
    assert not path.exists()
    assert (tmp_path / "order.json.torn-1").exists()


def test_an_edited_file_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    state_file.save(path, STATE)
    path.write_text(path.read_text().replace("7", "8", 1))
    assert "digest" in state_file.load(path).reason


@pytest.mark.parametrize("text", ["[]", "null", "[" * 100_000, '{"a": 1}', "\x00\xff"])
def test_nonsense_is_not_believed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "order.json"
    path.write_text(text)
    assert state_file.load(path).value is None


def test_torn_files_do_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    for _ in range(20):
        path.write_text("{")
        state_file.load(path)
    assert len(list(tmp_path.iterdir())) == state_file.TORN_KEPT


def test_a_link_laid_in_the_way_is_neither_followed_nor_written_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    path = tmp_path / "agent.json"
    path.symlink_to(secret)
    (tmp_path / "agent.json.new").symlink_to(secret)
    assert state_file.load(path).value is None
    state_file.save(path, STATE)
    assert secret.read_text() == "mine"
    assert state_file.load(path).value == STATE


def test_a_pipe_laid_in_the_way_does_not_hold_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    os.mkfifo(path)
    assert state_file.load(path).value is None


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    state_file.save(path, STATE)
    with pytest.raises(TypeError):
        state_file.save(path, {"bad": object()})
    assert state_file.load(path).value == STATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["order.json"]


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    state_file.save(tmp_path / "order.json", STATE)
    state_file.remove(tmp_path / "order.json")
    state_file.remove(tmp_path / "order.json")
    assert state_file.load(tmp_path / "order.json").value is None
