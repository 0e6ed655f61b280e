"""What `dsmt-event` reads and prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broker.shell.arguments import parsed
from broker.shell.lines import event_json, event_line, line_fields, words_pairs
from dsmt_core.errors import Invalid
from tests.unit.core.test_last_values import said


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("rtt_ms=0.12 sent=42", {"pairs": {"rtt_ms": "0.12", "sent": "42"}}),
        ("text='two words' x=a=b e=", {"pairs": {"text": "two words", "x": "a=b", "e": ""}}),
        ('{"value": "x", "emit_rate": 1}', {"value": "x", "emit_rate": 1.0}),
        (
            '{"channel": "/a/", "field": "f", "pairs": {"a": "b"}}',
            {"channel": "/a/", "field": "f", "pairs": {"a": "b"}},
        ),
    ],
)
def test_a_line_means_an_event(line: str, fields: dict[str, Any]) -> None:
    assert line_fields(line) == fields


def test_a_text_is_taken_as_it_stands() -> None:
    assert line_fields("{not JSON, a=b", text=True) == {"value": "{not JSON, a=b"}


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "=x",
        "a=b a=c",
        "a='b",
        "{",
        '{"seq": 3}',
        '{"value": 3}',
        '{"emit_rate": "1"}',
        '{"emit_rate": true}',
        '{"pairs": {"a": 1}}',
        '{"pairs": ["a"]}',
        '{"a": ' * 100_000,
    ],
)
def test_a_line_that_means_none_is_refused_by_name(line: str) -> None:
    with pytest.raises(Invalid) as error:
        line_fields(line)
    assert "\n" not in error.value.message
    assert len(error.value.message) < 200


def test_words_are_pairs() -> None:
    assert words_pairs(["a=1", "b="]) == {"a": "1", "b": ""}


def test_an_event_is_one_line_whatever_it_holds() -> None:
    event = said(value="two\nlines\tand a tab")
    assert event_line(event) == "/com/example/pinger/\ta\trtt\ttwo lines and a tab"
    told = json.loads(event_json(said(pairs={"x": "y"}, value="")))
    assert (told["pairs"], told["field"], told["instance"]) == ({"x": "y"}, "rtt", "a")
    assert "value" not in told
    assert "\n" not in event_json(event)


def test_the_command_line_is_read() -> None:
    asked = parsed(["publish", "--channel", "/a/", "--field", "f", "a=b", "c=d", "--emit-rate", "2"])
    assert (asked.command, asked.pairs, asked.emit_rate, asked.expiry) == (
        "publish",
        ["a=b", "c=d"],
        2.0,
        None,
    )
    asked = parsed(["watch", "--channel", "/a/", "--count", "3", "--timeout", "1.5", "--json"])
    assert (asked.count, asked.timeout, asked.json, asked.values) == (3, 1.5, True, False)


@pytest.mark.parametrize(
    "words", ["", "watch --count 0", "watch --timeout nan", "watch --json --values", "publish --expiry -1"]
)
def test_what_cannot_be_meant_ends_with_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(words.split())
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
