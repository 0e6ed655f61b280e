"""What holds already, as a question and an answer of several events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.errors import Denied, Invalid
from dsmt_core.events import Event, Sender
from dsmt_core.last_values import Value
from dsmt_core.legal import check
from dsmt_core.rights import ASKED, SNAPSHOTS, may_speak
from dsmt_core.snapshots import (
    FIELD,
    PART_BYTES,
    Asked,
    Part,
    answers_to,
    parts,
    question,
    read_part,
    read_question,
    wanted,
)
from dsmt_core.wire import decode, encode
from tests.unit.core.legal_events import events

PINGER = Channel("/com/example/pinger/")
TO = answers_to("application", "0f")
SENDER = Sender("s", "i", "b")


def said(channel: Channel = PINGER, **more: object) -> Event:
    return SENDER.event(channel, FIELD, now=0.0, id_="x", **more)


def answer(part: Part) -> Event:
    """An event of an answer, as it arrives."""
    event = said(TO, value=part.text, pairs=part.pairs)
    return decode(encode(event), "application/vnd.dsmt.event+msgpack")


# Each draws several events, of which every single one has laws of its own (`test_events`).
@settings(max_examples=40)
@given(st.lists(st.tuples(events(), st.integers(0, 99)), max_size=4))
def test_what_is_answered_is_what_is_read(held: list[tuple[Event, int]]) -> None:
    values = [Value(event, float(at), 1) for event, at in held]
    read = [read_part(answer(part)) for part in parts(values, 100.0)]
    assert [last for _, last in read] == [False] * (len(read) - 1) + [True]
    assert [aged for some, _ in read for aged in some] == [(event, 100.0 - at) for event, at in held]


def test_a_long_answer_comes_in_parts_that_fit_and_what_never_fits_is_left_out() -> None:
    texts = ["x" * (PART_BYTES // 3)] * 7 + ["é" * PART_BYTES, "last"]
    values = [Value(said(value=text), 0.0, 1) for text in texts]
    made = list(parts(values, 0.0))
    assert all(len(part.text.encode()) <= PART_BYTES for part in made)
    assert len(made) == 4
    read = [aged.event.value for part in made for aged in read_part(answer(part))[0]]
    assert read == [*texts[:7], "last"]


def test_a_clock_that_was_set_back_makes_no_value_younger_than_now() -> None:
    part = next(parts([Value(said(), 50.0, 1)], 40.0))
    assert read_part(answer(part))[0][0].age == 0.0


@pytest.mark.parametrize("user", ["application", "operator", "sliver.s1.h1.org"])
def test_a_question_is_answered_to_its_sender_only(user: str) -> None:
    asked = Asked(PINGER, answers_to(user, "a1b2"))
    asks = said(ASKED, pairs=question(asked))
    check(asks)
    assert may_speak(user, "psepr", ASKED)
    assert may_speak("planner", SNAPSHOTS, asked.answer)
    assert not may_speak(user, SNAPSHOTS, asked.answer)
    assert read_question(asks, user) == asked
    with pytest.raises(Denied, match="where others listen"):
        read_question(asks, f"{user}x")


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"channel": "/a/"},
        {"channel": "a", "answer": TO},
        {"channel": "/a/*/", "answer": TO},
        {"channel": "/a/", "answer": ""},
    ],
)
def test_what_is_no_question_is_refused(pairs: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_question(said(ASKED, pairs=pairs), "application")


@pytest.mark.parametrize("channel", ["/", "/snapshot/", "/com/example/", "/snapshot/application/0f/below/"])
def test_answers_go_nowhere_else(channel: str) -> None:
    with pytest.raises(Denied):
        read_question(said(ASKED, pairs={"channel": "/a/", "answer": channel}), "application")


def test_nobody_is_told_what_he_may_not_hear() -> None:
    own, state = said(), said(Channel("/org/dsmt/ns/deployment/s1/org:dsmt:component:planner/status/"))
    everything = Asked(Channel("/"), TO)
    assert [wanted(each, everything, "application") for each in (own, state)] == [True, False]
    assert [wanted(each, everything, "operator") for each in (own, state)] == [True, True]
    assert not any(wanted(each, everything, "node") for each in (own, state))
    assert not wanted(own, Asked(Channel("/com/other/"), TO), "application")


@pytest.mark.parametrize(
    "line",
    ["x", "{}", "[]", "[1]", "[1,2]", "[1,{}]", '["a",{}]', "[" * 5_000, '[1,{"channel":1}]', "null"],
)
def test_an_answer_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(Invalid):
        read_part(said(TO, value=line))


def test_an_age_that_is_no_number_is_refused() -> None:
    line = json.loads(next(parts([Value(said(), 0.0, 1)], 0.0)).text)
    for age in ("NaN", "Infinity", "-1", '"x"', "null"):
        with pytest.raises(Invalid):
            read_part(said(TO, value=f"[{age},{json.dumps(line[1])}]"))
