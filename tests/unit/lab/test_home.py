"""The directory of a little world."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsmt_core.errors import Conflict
from lab.home import made_anew


def test_somebodys_files_are_never_made_way_for_a_world(tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_text("dear")
    with pytest.raises(Conflict, match="would be lost"):
        made_anew(tmp_path)
    assert letter.read_text() == "dear"


def test_a_file_is_no_place_for_a_world(tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_text("dear")
    with pytest.raises(Conflict):
        made_anew(letter)


@pytest.mark.parametrize("name", ["new/deep", "empty", "build/dev"])
def test_a_world_is_made_anew_where_nothing_or_an_earlier_one_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        home = made_anew(tmp_path / name)
        assert not (home / "planner").exists()
        (home / "planner").mkdir()


def test_what_was_built_before_worlds_were_marked_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "build" / "demo" / "planner").mkdir(parents=True)
    assert not (made_anew(tmp_path / "build" / "demo") / "planner").exists()
