"""The frames of messages: read as pika writes them, and written as pika does."""

from __future__ import annotations

from typing import Any, NamedTuple

import pika
import pika.frame
from hypothesis import given
from hypothesis import strategies as st

from broker.rabbit.framing import Content, Left, content, encoded, filling, frame_at, opening

LONGEST = 4_000
words = st.text(max_size=60).filter(lambda word: len(word.encode()) <= 255)
channels = st.integers(1, 65_535)


class Told(NamedTuple):
    """A delivery, whoever read it."""

    channel: int
    method: tuple[str, int, bool, str | bytes, str | bytes]
    content_type: str
    body: bytes


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Told, bytes]:
    """A delivery, and the bytes that pika makes of it."""
    told = Told(
        draw(channels),
        (draw(words), draw(st.integers(1, 1 << 60)), draw(st.booleans()), draw(words), draw(words)),
        draw(st.sampled_from(["application/a", "application/b"])),
        draw(st.binary(max_size=200)),
    )
    return told, stream(told)


def stream(told: Told) -> bytes:
    method = pika.frame.Method(told.channel, pika.spec.Basic.Deliver(*told.method))
    properties = pika.BasicProperties(content_type=told.content_type, headers={"a": "b"})
    header = pika.frame.Header(told.channel, len(told.body), properties)
    # A message without a body has no body frame.
    body = pika.frame.Body(told.channel, told.body).marshal() if told.body else b""
    return bytes(method.marshal() + header.marshal() + body)


def told_by(found: Content) -> Told:
    return Told(found.channel, found.method[:], found.properties.content_type, found.body)


@given(st.lists(deliveries(), max_size=5))
def test_what_pika_writes_is_read(made: list[tuple[Told, bytes]]) -> None:
    buffer, at = b"".join(written for _, written in made), 0
    for told, written in made:
        found = content(buffer, at)
        if told.body:
            assert isinstance(found, Content)
            assert told_by(found) == told
            assert found.end == at + len(written)
        else:
            assert not isinstance(found, Content)
        at += len(written)


@given(deliveries(), st.data())
def test_no_part_of_a_delivery_is_taken_for_the_whole(
    made: tuple[Told, bytes], data: st.DataObject
) -> None:
    _, written = made
    cut = data.draw(st.integers(0, len(written) - 1))
    assert not isinstance(content(written[:cut], 0), Content)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_what_is_no_delivery_is_left_to_pika(noise: bytes, at: int) -> None:
    assert content(b"\x08" + noise, 0) is Left.OTHER
    assert content(noise[:10], at) is Left.OTHER


def test_what_another_channel_says_in_between_is_left_to_pika() -> None:
    told = Told(7, ("tag", 1, False, "psepr", "a.b"), "application/a", b"body")
    other = pika.frame.Heartbeat().marshal() * 4
    written = stream(told)
    header = written.index(b"\x02\x00\x07")
    assert content(written[:header] + other + written[header:], 0) is Left.OTHER
    body = written.index(b"\x03\x00\x07")
    assert content(written[:body] + other + written[body:], 0) is Left.OTHER


def test_a_body_of_several_frames_is_left_to_pika() -> None:
    method = pika.frame.Method(1, pika.spec.Basic.Deliver("tag", 1, False, "psepr", "a.b"))
    header = pika.frame.Header(1, 8, pika.BasicProperties())
    parts = (pika.frame.Body(1, b"four").marshal() for _ in range(2))
    assert content(b"".join((method.marshal(), header.marshal(), *parts)), 0) is Left.OTHER


@given(st.lists(deliveries(), min_size=1, max_size=3), st.data())
def test_each_frame_is_cut_out_as_pika_would_take_it(
    made: list[tuple[Told, bytes]], data: st.DataObject
) -> None:
    buffer, at = b"".join(written for _, written in made), 0
    buffer = buffer[: data.draw(st.integers(0, len(buffer)))]
    while True:
        taken, frame = pika.frame.decode_frame(buffer[at:])
        assert pika.frame.decode_frame(frame_at(buffer, at))[0] == taken
        if frame is None:
            break
        assert len(frame_at(buffer, at)) == taken
        at += taken


def test_the_greeting_of_a_broker_of_another_version_is_seen() -> None:
    greeting = b"AMQP\x00\x00\x09\x01"
    assert content(greeting, 0) is Left.OTHER
    assert pika.frame.decode_frame(frame_at(greeting, 0))[0] == len(greeting)


def test_what_is_not_utf_8_comes_as_bytes() -> None:
    told = Told(1, ("tag", 1, True, "abc", "key"), "application/a", b"body")
    written = stream(told).replace(b"\x03key", b"\x03\xff\xfe\xfd").replace(b"\x03abc", b"\x03\xfd\xfe\xff")
    found = content(written, 0)
    assert isinstance(found, Content)
    assert (found.method.exchange, found.method.routing_key) == (b"\xfd\xfe\xff", b"\xff\xfe\xfd")


def test_a_message_without_a_body_is_not_waited_for() -> None:
    told = Told(1, ("tag", 1, False, "psepr", "key"), "application/a", b"")
    assert content(stream(told), 0) is Left.OTHER


@given(channels, words, words, st.binary(max_size=3 * LONGEST))
def test_what_is_written_is_what_pika_writes(channel: int, exchange: str, key: str, body: bytes) -> None:
    properties = pika.BasicProperties(content_type="application/a", delivery_mode=2, headers={"a": "b"})
    written = opening(channel, exchange, key) + filling(channel, encoded(properties), body, LONGEST)
    assert written == b"".join(by_pika(channel, exchange, key, properties, body))


def by_pika(channel: int, exchange: str, key: str, properties: Any, body: bytes) -> list[bytes]:
    method = pika.spec.Basic.Publish(exchange=exchange, routing_key=key)
    return [
        pika.frame.Method(channel, method).marshal(),
        pika.frame.Header(channel, len(body), properties).marshal(),
        *(
            pika.frame.Body(channel, body[start : start + LONGEST]).marshal()
            for start in range(0, len(body), LONGEST)
        ),
    ]
