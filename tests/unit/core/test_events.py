"""Events: text and pairs, order, and the wire."""

from contextlib import suppress
from dataclasses import FrozenInstanceError
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core import wire
from dsmt_core.channels import Channel
from dsmt_core.errors import Full, Invalid
from dsmt_core.events import (
    Doubles,
    Event,
    Sender,
    check_text,
    drafted,
    legal_text,
    pairs_text,
    text_pairs,
)
from tests.unit.core.legal_events import events, texts


def event(seq: int = 1, **more: object) -> Event:
    sender = Sender("xyz1_mgr", "node1/agent", "boot-1")
    for _ in range(seq - 1):
        sender.event(Channel("/a/"), "f", now=0, id_="i")
    return sender.event(Channel("/a/"), "f", now=1.5, id_="i", **more)


@pytest.mark.parametrize("codec", [wire.MSGPACK, wire.XML])
@given(original=events())
def test_every_legal_event_survives_the_wire(codec: str, original: Event) -> None:
    read = wire.decode(wire.encode(original, codec), codec)
    assert read == original
    # Types too: 1 is not 1.0, and False is not 0.
    assert repr(dict(read.extra)) == repr(original.extra)


@given(st.dictionaries(texts.filter(bool), texts, max_size=6))
def test_pairs_survive_their_text(pairs: dict[str, str]) -> None:
    assert text_pairs(pairs_text(pairs)) == pairs


def test_pairs_are_never_parsed_out_of_a_value() -> None:
    spoken = event(value="ok,status=running", field="deployment-status")
    assert spoken.state == ""
    assert spoken.text == "ok,status=running"


@pytest.mark.parametrize("field", ["status", "state"])
def test_the_state_is_read_from_either_name(field: str) -> None:
    spoken = Sender("s", "i", "b").event(
        Channel("/a/"), "deployment-status", now=0, id_="i", pairs={field: "failed"}
    )
    assert spoken.state == "failed"
    assert spoken.key == "a.failed"


def test_unknown_fields_of_a_newer_minor_version_are_kept() -> None:
    body = msgpack.unpackb(wire.encode(event())) | {"schema": "1.9", "colour": "blue"}
    read = wire.decode(msgpack.packb(body), wire.MSGPACK)
    assert read.extra == {"colour": "blue"}
    assert msgpack.unpackb(wire.encode(read))["colour"] == "blue"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": "2.0"}, "schema"),
        ({"schema": None}, "schema"),
        ({"seq": 0}, "seq"),
        ({"seq": True}, "seq"),
        ({"seq": "1"}, "seq"),
        ({"sent_at": float("nan")}, "sent_at"),
        ({"ttl": "long"}, "ttl"),
        ({"channel": "/a"}, "end with /"),
        ({"channel": "/a/*/"}, "wildcard"),
        ({"pairs": {"a": 1}}, "pairs"),
        ({"pairs": ["a"]}, "pairs"),
        ({"service": 7}, "service"),
        ({"service": "a\x00"}, "service"),
        ({"value": "\x1b[31m"}, "value"),
        ({"pairs": {"a\x07": "b"}}, "name of a pair"),
        ({"pairs": {"a": "\uffff"}}, "pair"),
        ({"pairs": {str(n): "" for n in range(1025)}}, "max_map_len|pairs"),
        ({"sent_at": 1e12}, "sent_at"),
        ({"ttl": -1}, "ttl"),
        ({"expiry": float("inf")}, "expiry"),
        ({"emit_rate": True}, "emit_rate"),
        ({"schema": "1.x"}, "schema"),
        ({"schema": "1"}, "schema"),
        ({"schema": "10.0"}, "schema"),
        ({"to_instance": "a"}, "to no service"),
        ({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-zz"}, "traceparent"),
        ({"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"}, "traceparent"),
        ({"x": b"\x00", "\x00": 1}, "name of an unknown field"),
        ({"x": "\x00"}, "unknown field 'x'"),
        ({"x": {b"a": 1}}, "no text"),
        ({"x": {"\x00": 1}}, "a name in"),
        ({"x": [[[[[[[[1]]]]]]]]}, "nested"),
        ({"x": [float("nan")]}, "not kept"),
        ({f"x{n}": n for n in range(129)}, "129 unknown fields"),
    ],
)
def test_a_wrong_field_is_refused_by_name(change: dict[str, object], reason: str) -> None:
    body = msgpack.unpackb(wire.encode(event())) | change
    with pytest.raises(Invalid, match=reason):
        wire.decode(msgpack.packb(body), wire.MSGPACK)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x93\x01",
        b"\x81\x01\x02",
        b"\xc1",
        b"text",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 5000,
        b"\xc7\xff\x05" + b"x" * 255,
        msgpack.packb({"schema": "1.0"}),
        msgpack.packb([1, 2]),
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        wire.decode(body, wire.MSGPACK)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(body: bytes) -> None:
    with suppress(Invalid):
        wire.decode(body, wire.MSGPACK)


def test_sizes_and_content_types_are_bounded() -> None:
    with pytest.raises(Full):
        wire.encode(event(value="x" * wire.BODY_BYTES))
    with pytest.raises(Invalid, match="above the limit"):
        wire.decode(b"x" * (wire.BODY_BYTES + 1), wire.MSGPACK)
    with pytest.raises(Invalid, match="content type"):
        wire.decode(b"", "text/plain")


def test_doubles_are_noticed_by_one_number_an_instance() -> None:
    doubles = Doubles(limit=2)
    assert [doubles.is_new(event(seq)) for seq in (1, 2, 2, 1, 3)] == [True, True, False, False, True]
    reborn = Sender("s", "node1/agent", "boot-2").event(Channel("/a/"), "f", now=0, id_="i")
    assert doubles.is_new(reborn)


def test_illegal_text_is_replaced_for_scripts_and_refused_elsewhere() -> None:
    assert legal_text("a\x00b\x1b[31m") == "a\ufffdb\ufffd[31m"
    with pytest.raises(Invalid):
        check_text("a\x00", "a status")
    assert check_text("é\n", "a status") == "é\n"


@pytest.mark.parametrize("text", ["a", "a=1,b", "a=b=c", "a=\\x", "a=\\"])
def test_text_that_is_no_pairs_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        text_pairs(text)


def test_a_drafted_event_is_an_event_like_any_other() -> None:
    known: dict[str, Any] = {
        "channel": Channel("/a/"),
        "service": "s",
        "instance": "i",
        "boot_id": "b",
        "seq": 1,
    }
    known |= {"id": "x", "sent_at": 1.0, "pairs": {"a": "b"}}
    made = drafted(known)
    assert type(made) is Event
    assert made == Event(**known)
    with pytest.raises(FrozenInstanceError):
        made.seq = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="sent_at"):
        drafted({name: value for name, value in known.items() if name != "sent_at"})
    with pytest.raises(TypeError, match="colour"):
        drafted(known | {"colour": "blue"})
