"""Labels: what is legal, and how many."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Full, Invalid
from planner.labels import NUMBER, VALUE, labelled


def test_a_change_adds_replaces_and_takes_away() -> None:
    assert labelled({"a": "1", "b": "2"}, {"b": "3", "c": "4", "a": ""}) == {"b": "3", "c": "4"}
    assert labelled({}, {"example.org/rack-7": "x"}) == {"example.org/rack-7": "x"}
    assert labelled({}, {"a": ""}) == {}


@pytest.mark.parametrize("name", ["", "1st", "a b", "a=b", "é", "-a", "a" * 65, "a\n"])
def test_a_name_that_could_not_be_written_in_a_condition_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        labelled({}, {name: "x"})


@pytest.mark.parametrize("value", ["x" * (VALUE + 1), "\x00", "\ud800"])
def test_a_value_is_legal_text_of_a_bounded_length(value: str) -> None:
    with pytest.raises(Invalid):
        labelled({}, {"a": value})


def test_a_node_has_a_bounded_number_of_labels() -> None:
    full = {f"l{number}": "x" for number in range(NUMBER)}
    assert labelled(full, {"l0": "y"})["l0"] == "y"
    with pytest.raises(Full):
        labelled(full, {"one": "more"})
