"""Labels: what is legal, and how many."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Full, Invalid
from planner.labels import NUMBER, VALUE, labelled


def test_a_change_adds_replaces_and_takes_away() -> None:
    assert labelled({"a": "1", "b": "2"}, {"b": "3", "c": "4", "a": ""}) == {"b": "3", "c": "4"}
    assert labelled({}, {"example.org/rack-7": "x"}) == {"example.org/rack-7": "x"}
    assert labelled({}, {"a": ""}) == {}


LEGAL_NAME = "a letter first, then letters, digits and . _ / -; at most 64"


@pytest.mark.parametrize("name", ["", "1st", "a b", "a=b", "é", "-a", "a" * 65, "a\n"])
def test_a_name_that_could_not_be_written_in_a_condition_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        labelled({}, {name: "x"})
    assert refused.value.message == f"{name!r} is no name of a label"
    assert refused.value.hint == LEGAL_NAME


def test_of_a_long_name_that_is_refused_the_beginning_is_told() -> None:
    assert labelled({}, {"a" * 64: "x"}) == {"a" * 64: "x"}
    with pytest.raises(Invalid) as refused:
        labelled({}, {"a" * 81: "x"})
    assert refused.value.message == f"{'a' * 80!r} is no name of a label"


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("x" * (VALUE + 1), "the label a has 257 characters", "at most 256"),
        ("\x00", "the label a holds a character that is not legal in an event", ""),
        ("\ud800", "the label a holds a character that is not legal in an event", ""),
    ],
)
def test_a_value_is_legal_text_of_a_bounded_length(value: str, message: str, hint: str) -> None:
    assert labelled({}, {"a": "x" * VALUE}) == {"a": "x" * VALUE}
    with pytest.raises(Invalid) as refused:
        labelled({}, {"a": value})
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_node_has_a_bounded_number_of_labels() -> None:
    full = {f"l{number}": "x" for number in range(NUMBER)}
    assert labelled(full, {"l0": "y"})["l0"] == "y"
    with pytest.raises(Full) as refused:
        labelled(full, {"one": "more"})
    assert (refused.value.message, refused.value.hint) == (
        "a node has at most 64 labels",
        "take one away: NAME=",
    )
