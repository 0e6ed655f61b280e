"""Compressed answers: the same bytes once they are read, whole or live, and only for who reads them."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from planner.api.packed import LEAST, Packed, reads_gzip

LONG = b'{"host":"n1","state":"running"},' * 1000
JSON = b"application/json"


async def served(  # noqa: PLR0913 - each is one thing that an answer may have
    *bodies: bytes,
    kind: bytes = JSON,
    asks: bytes = b"gzip, deflate, br",
    length: bool = True,
    method: str = "GET",
    status: int = 200,
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> list[Message]:
    """The messages of an answer in these bodies, as they are sent."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        size = [(b"content-length", str(sum(map(len, bodies))).encode())] if length else []
        headers = [(b"content-type", kind), *size, *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(dict(message))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": method, "headers": [(b"accept-encoding", asks)] if asks else []}
    await Packed(app)(scope, receive, send)
    return sent


def headers_of(sent: list[Message]) -> dict[bytes, bytes]:
    return dict(sent[0]["headers"])


def body_of(sent: list[Message]) -> bytes:
    return b"".join(one["body"] for one in sent[1:])


@pytest.mark.parametrize("body", [LONG, LONG * 20])
async def test_a_whole_answer(body: bytes) -> None:
    sent = await served(body, kind=b"application/json; charset=utf-8", more=((b"etag", b'"1"'),))
    headers = headers_of(sent)
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"vary"] == b"accept-encoding"
    assert headers[b"etag"] == b'W/"1"'
    assert int(headers[b"content-length"]) == len(body_of(sent)) < len(body) / 6
    assert gzip.decompress(body_of(sent)) == body


@pytest.mark.parametrize("length", [True, False])
async def test_a_stream_is_live(length: bool) -> None:  # noqa: FBT001
    rows = [b"data: %d\n\n" % number * 1000 for number in range(4)]
    sent = await served(*rows, b"", kind=b"text/event-stream", length=length)
    assert b"content-length" not in headers_of(sent)
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    # Each can be read when it has come.
    assert [reader.decompress(one["body"]) for one in sent[1:]] == [*rows, b""]
    assert reader.eof


async def test_the_head_of_a_stream_does_not_wait_for_its_first_message() -> None:
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        kind = (b"content-type", b"application/x-ndjson")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        assert [one["type"] for one in sent] == ["http.response.start"]

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await Packed(app)(
        {"type": "http", "method": "GET", "headers": [(b"accept-encoding", b"gzip")]}, receive, send
    )


@pytest.mark.parametrize(
    "other",
    [
        {"asks": b""},
        {"asks": b"br"},
        {"asks": b"gzip;q=0"},
        {"kind": b"application/octet-stream"},
        {"status": 206},
        {"method": "HEAD"},
        {"more": ((b"content-encoding", b"br"),)},
    ],
)
async def test_others_get_it_as_it_is(other: dict[str, Any]) -> None:
    sent = await served(LONG, **other)
    assert body_of(sent) == LONG
    assert headers_of(sent)[b"content-length"] == str(len(LONG)).encode()


async def test_what_is_short_goes_as_it_is() -> None:
    body = b" " * (LEAST - 1)
    assert body_of(await served(body)) == body


@pytest.mark.parametrize(
    ("asks", "reads"),
    [
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"gzip; q=1", True),
        (b"gzip;q=0.000", False),
        (b"identity", False),
        (b"xgzip", False),
        (b"\xff;q=;;,,", False),
    ],
)
def test_who_reads_it(asks: bytes, reads: bool) -> None:  # noqa: FBT001
    assert reads_gzip({"headers": [(b"accept", b"*/*"), (b"accept-encoding", asks)]}) is reads
