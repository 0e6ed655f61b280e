"""The planner's HTTP before strangers: what is slow, too large or ambiguous ends, and keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.http_connection import HttpConnection
from planner.api import limits
from planner.api.strict import HEADERS
from tests.integration.planner.alone import alone
from tests.integration.planner.conftest import ADMIN, PASSWORD

WAIT_S = 30.0
LOGIN = json.dumps({"account": ADMIN, "password": PASSWORD}).encode()


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A planner on a real socket."""
    async with alone(tmp_path) as port:
        yield port


@pytest.fixture
def hurried(port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """One that has little patience: only for who is slow on purpose, as a busy machine is it too."""
    monkeypatch.setattr(HttpConnection, "head_s", 0.3)
    monkeypatch.setattr(HttpConnection, "look_s", 0.1)
    monkeypatch.setattr(limits, "SILENCE_S", 0.5)
    monkeypatch.setattr(limits, "BODY_S", 1.5)
    return port


class Talk:
    """One connection, in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port: int) -> Talk:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def say(self, *pieces: bytes, pause_s: float = 0.0) -> None:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
                if pause_s:
                    await asyncio.sleep(pause_s)

    async def heard(self) -> bytes:
        """Everything until the server ends the connection."""
        async with asyncio.timeout(WAIT_S):
            said = b""
            with contextlib.suppress(ConnectionError):
                while piece := await self.reader.read(65_536):
                    said += piece
            self.writer.close()
            return said


async def ask(port: int, *head: str, body: bytes = b"") -> bytes:
    talk = await Talk.to(port)
    lines = "".join(f"{line}\r\n" for line in (*head, "Connection: close"))
    await talk.say(lines.encode("latin-1") + b"\r\n" + body)
    return await talk.heard()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def alive(port: int) -> None:
    assert status(await ask(port, "GET /v1/health HTTP/1.1", "Host: x")) == 200


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET /v1/health HTTP/1.1\r\n"],
        [b"GET ", *[b"/"] * 20],
        [b"GET /v1/health HTTP/1.1\r\n", *[b"X-A: 1\r\n"] * 20],
    ],
)
async def test_a_head_that_does_not_come_ends_the_connection(hurried: int, pieces: list[bytes]) -> None:
    talk = await Talk.to(hurried)
    saying = asyncio.create_task(talk.say(*pieces, pause_s=0.1))
    assert await talk.heard() == b""
    saying.cancel()
    await alive(hurried)


@pytest.mark.parametrize("pause_s", [0.1, 5.0])
async def test_a_body_that_does_not_come_ends_the_request(hurried: int, pause_s: float) -> None:
    talk = await Talk.to(hurried)
    head = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n"
    saying = asyncio.create_task(talk.say(head, *[b" "] * 100, pause_s=pause_s))
    await talk.heard()
    saying.cancel()
    await alive(hurried)


async def test_heads_are_bounded(port: int) -> None:
    for head in ("GET /" + "a" * 100_000 + " HTTP/1.1", "GET / HTTP/1.1\r\nX-A: " + "a" * 100_000):
        answer = await ask(port, head, "Host: x")
        assert not answer or status(answer) >= 400
    await alive(port)


async def test_bodies_are_bounded(port: int) -> None:
    size = limits.BODY_BYTES + 1
    head = ("POST /v1/login HTTP/1.1", "Host: x", "Content-Type: application/json")
    assert status(await ask(port, *head, f"Content-Length: {size}")) == 507
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b" " * size)
    answer = await ask(port, *head, "Transfer-Encoding: chunked", body=chunk)
    assert not answer or status(answer) >= 400
    await alive(port)


@pytest.mark.parametrize(
    "more",
    [
        [f"Content-Length: {len(LOGIN)}", f"Content-Length: {len(LOGIN) - 1}"],
        [f"Content-Length: {len(LOGIN)}", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Content-Length: +5"],
        ["Content-Length: -1"],
        ["Content-Length: 0x10"],
        [f"Content-Length: {len(LOGIN)}", "Host: y"],
        [f"Content-Length: {len(LOGIN)}", "Authorization: Bearer a", "Authorization: Bearer b"],
        [f"Content-Length: {len(LOGIN)}", "Content-Type: text/plain"],
        [f"Content-Length : {len(LOGIN)}"],
        [f"Content-Length: {len(LOGIN)}", " folded: x"],
    ],
)
async def test_what_can_be_understood_in_two_ways_is_refused(port: int, more: list[str]) -> None:
    head = ["POST /v1/login HTTP/1.1", "Host: x", "Content-Type: application/json", *more]
    second = b"GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n"
    talk = await Talk.to(port)
    await talk.say("\r\n".join(head).encode() + b"\r\n\r\n" + LOGIN + second)
    answer = await talk.heard()
    # One answer, and the connection is over: what followed is read by nobody.
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert 400 <= status(answer) < 500 or status(answer) == 501, answer
    assert b'"token"' not in answer


@pytest.mark.parametrize(
    "target",
    [
        "/v1/slices/%00",
        "/v1/slices/a%00b/status",
        "/v1/audit?about=%00",
        "/v1/slices/..%2f..%2fhealth",
        "/v1/../v1/slices",
        "/v1/slices/%2e%2e",
        "/v1/slices/%ff%fe",
        "//v1/health",
        "/v1/slices/a\\b",
        "/v1/nodes/%0d%0aX-A:%20b",
        "http://elsewhere/v1/whoami",
        "*",
    ],
)
async def test_strange_targets_are_refused(port: int, target: str) -> None:
    answer = await ask(port, f"GET {target} HTTP/1.1", "Host: x")
    assert 400 <= status(answer) < 500, answer
    assert b"\r\nX-A: b" not in answer


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 500_000),
        ("application/json", b'{"a":' * 100_000),
        ("application/json", b'{"account": 1' + b"0" * 10_000 + b', "password": "x"}'),
        ("application/json", b'{"account": NaN, "password": Infinity}'),
        ("application/json", b'{"account": "\\ud800", "password": "\\u0000"}'),
        ("application/json", b'{"account": "a\\u0000b@c", "password": "long secret"}'),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b""),
        ("application/json", b"null"),
        ("application/json", b'{"account": "a", "account": "b"}'),
        ("application/x-www-form-urlencoded", b"account=a&password=b"),
        ("text/plain", LOGIN),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("application/json; charset=utf-16", LOGIN),
    ],
)
async def test_strange_bodies_are_refused(port: int, kind: str, body: bytes) -> None:
    head = ("POST /v1/login HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    answer = await ask(port, *head, body=body)
    if kind.startswith("application/json;"):
        # Which letters JSON has is not said by the header.
        assert status(answer) in {200, 422}
        return
    assert 400 <= status(answer) < 500, answer
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"code", "message", "hint"}
    await alive(port)


async def test_silent_connections_keep_nobody_out(hurried: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpConnection, "each", 40)
    talks = [await Talk.to(hurried) for _ in range(60)]
    for talk in talks:
        assert await talk.heard() == b""
    await alive(hurried)


@pytest.mark.parametrize(
    "path", ["/v1/health", "/v1/whoami", "/v1/nothing", "/v1/openapi.json", "/v1/audit?x=1"]
)
async def test_every_answer_says_how_a_browser_is_to_treat_it(port: int, path: str) -> None:
    answer = await ask(port, f"GET /v1/{path} HTTP/1.1", "Host: x", "Origin: http://evil.example")
    head = answer.partition(b"\r\n\r\n")[0].lower()
    for name, value in HEADERS.items():
        assert name + b": " + value.lower() in head
    assert b"access-control-" not in head
    assert b"set-cookie" not in head


async def test_an_answer_does_not_wait_until_its_head_was_acknowledged(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, at_once = HttpConnection.connection_made, []

    def noted(connection: HttpConnection, transport: asyncio.Transport) -> None:
        begin(connection, transport)
        own = transport.get_extra_info("socket")
        at_once.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(HttpConnection, "connection_made", noted)
    await alive(port)
    assert all(at_once)
    assert at_once


async def test_no_other_origin_is_let_in(port: int) -> None:
    asked = ("Origin: http://evil.example", "Access-Control-Request-Method: POST")
    answer = await ask(port, "OPTIONS /v1/slices HTTP/1.1", "Host: x", *asked)
    assert status(answer) == 405
    assert b"access-control-" not in answer.lower()
