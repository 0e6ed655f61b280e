"""What is not legal is told to its sender, in either codec, before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core import channels, wire
from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Sender

DEEP: object = 1
for _ in range(9):
    DEEP = [DEEP]


@pytest.mark.parametrize("codec", wire.CONTENT_TYPES)
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"channel": "/a"}, "end with /"),
        ({"channel": None}, "field channel"),
        ({"service": b"a"}, "field service"),
        ({"value": "\ud800"}, "field value"),
        ({"value": "\x08"}, "field value"),
        ({"pairs": "ab"}, "pairs"),
        ({"pairs": None}, "pairs"),
        ({"pairs": {"a": 1}}, "pairs"),
        ({"pairs": {str(number): "" for number in range(1025)}}, "1025 pairs"),
        ({"seq": 1 << 64}, "field seq"),
        ({"seq": 1.0}, "field seq"),
        ({"sent_at": "now"}, "field sent_at"),
        ({"sent_at": -1}, "field sent_at"),
        ({"ttl": float("nan")}, "field ttl"),
        ({"schema": "2.0"}, "schema"),
        ({"extra": {"value": "smuggled"}}, "cannot be called 'value'"),
        ({"extra": ["x"]}, "not a map"),
        ({"extra": {1: "x"}}, "cannot be called '1'"),
        ({"extra": {"x": DEEP}}, "nested more than 8 deep"),
        ({"extra": {"x": object()}}, "not kept"),
        ({"extra": {"x": 1 << 64}}, "not kept"),
        ({"extra": {"x": -(1 << 63) - 1}}, "not kept"),
        ({"extra": {f"x{number}": [0] * 1000 for number in range(5)}}, "5005 values"),
        ({"extra": {"x": [0] * 1025}}, "1025 entries"),
        ({"extra": {"x": dict.fromkeys(map(str, range(1025)))}}, "1025 entries"),
    ],
)
def test_a_wrong_event_is_refused_by_the_name_of_what_is_wrong(
    codec: str, wrong: dict[str, object], reason: str
) -> None:
    right = Sender("s", "i", "b").event(Channel("/a/"), "f", now=1.5, id_="i")
    event = replace(right, **wrong)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=reason):
        wire.encode(event, codec)


def test_a_state_that_makes_the_key_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="255 bytes"):
        channels.routing_key(Channel("/a/"), "x" * 255)


def test_a_channel_is_checked_again_however_often_it_is_wrong() -> None:
    for _ in range(2):
        with pytest.raises(Invalid, match="wildcard"):
            channels.channel("/a/*/")
