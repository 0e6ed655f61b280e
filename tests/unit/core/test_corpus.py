"""A kept corpus of bodies, bad and good: each file's name says what is in it."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core import wire
from dsmt_core.errors import DsmtError, Invalid

CORPUS = Path(__file__).parent / "corpus"
CODECS = {".msgpack": wire.MSGPACK, ".xml": wire.XML}
REFUSED = sorted((CORPUS / "refused").iterdir())
SMALL = [path for path in REFUSED if path.stat().st_size < 4096]
TAKEN = sorted((CORPUS / "taken").iterdir())


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_what_is_no_legal_event_is_refused_with_one_plain_line(path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        wire.decode(path.read_bytes(), CODECS[path.suffix])
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("path", TAKEN, ids=lambda path: path.name)
def test_what_is_legal_is_read_and_carried_by_both_codecs(path: Path) -> None:
    read = wire.decode(path.read_bytes(), CODECS[path.suffix])
    for codec in CODECS.values():
        assert wire.decode(wire.encode(read, codec), codec) == read


MALICE = {
    "lists": (wire.MSGPACK, b"\xdc\x03\xff" + (b"\xdc\x03\xff" + b"\x90" * 1023) * 1020),
    "deep lists": (wire.MSGPACK, b"\xdc\x03\xff" * 349_000),
    "deep maps": (wire.MSGPACK, b"\x81\xa1a" * 349_000),
    "elements": (wire.XML, b"<event>" + b"<a/>" * 262_000),
    "deep": (wire.XML, b"<a>" * 349_000),
    "attributes": (wire.XML, b"<event " + b"".join(b"a%d='' " % n for n in range(80_000)) + b"/>"),
    "open": (wire.XML, b"<event>" + b"<" * 1_000_000),
    "quotes": (wire.XML, b"<event>" + b"<a '" * 260_000),
    "references": (wire.XML, b"<event>" + b"&amp;" * 200_000),
    "comments": (wire.XML, b"<event>" + b"<!---->" * 149_000),
}


@pytest.mark.parametrize(("codec", "body"), MALICE.values(), ids=MALICE)
def test_a_megabyte_of_malice_builds_nothing_large(codec: str, body: bytes) -> None:
    assert len(body) <= wire.BODY_BYTES
    with suppress(Invalid):
        wire.decode(b"", codec)  # what is loaded at the first use is not counted
    tracemalloc.start()
    try:
        with pytest.raises(Invalid):
            wire.decode(body, codec)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def mutated(draw: st.DrawFn, body: bytes) -> bytes:
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 8)))
    return body[:start] + draw(st.binary(max_size=8)) + body[end:]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    path = draw(
        st.sampled_from([*TAKEN, *TAKEN, *(path for path in REFUSED if path.stat().st_size < 4096)])
    )
    body = path.read_bytes()
    for _ in range(draw(st.integers(1, 4))):
        body = mutated(draw, body)
    return CODECS[path.suffix], body


@given(bodies())
def test_no_mutation_breaks_a_decoder(hurt: tuple[str, bytes]) -> None:
    codec, body = hurt
    with suppress(Invalid):
        read = wire.decode(body, codec)
        for other in CODECS.values():
            assert wire.decode(wire.encode(read, other), other) == read


@given(st.sampled_from(list(CODECS.values())), st.binary(max_size=300))
def test_no_bytes_break_a_decoder(codec: str, body: bytes) -> None:
    with suppress(Invalid):
        wire.decode(body, codec)


def test_a_codec_that_nobody_knows_is_refused_at_both_ends() -> None:
    read = wire.decode((CORPUS / "taken" / "plain.msgpack").read_bytes(), wire.MSGPACK)
    with pytest.raises(DsmtError, match="no codec"):
        wire.encode(read, "text/plain")
