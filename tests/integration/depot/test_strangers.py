"""Whoever holds connections without using them, or asks for nonsense, keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from depot import connections
from depot.sending import FileContent, Sender, answer
from tests.integration.depot.depot_process import PLANNER, READS, WAIT_S, Depot, sent

SIZE = 64 << 20


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    """A large file, served with little patience."""
    monkeypatch.setattr(connections.Connection, "head_s", 0.3)
    monkeypatch.setattr(connections.Connection, "look_s", 0.1)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(SIZE)
    sender = Sender(silence=0.3)

    async def get(request: Request) -> Response:
        return answer(FileContent(large), request, sender)

    async def health(_request: Request) -> Response:
        return JSONResponse({"sent": sender.sent})

    app = Starlette(routes=[Route("/large", get), Route("/health", health)])
    config = uvicorn.Config(
        app, http=connections.Connection, lifespan="off", log_config=None, limit_concurrency=64
    )
    server = uvicorn.Server(config)
    opened = socket.create_server(("127.0.0.1", 0))
    running_server = asyncio.create_task(server._serve([opened]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.01)
    yield opened.getsockname()
    server.should_exit = True
    await running_server


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed the connection."""
    async with asyncio.timeout(WAIT_S):
        with contextlib.suppress(ConnectionError):
            await reader.read()


@pytest.mark.parametrize("said", [b"", b"GET /large HTT", b"GET /health HTTP/1.1\r\nHost: d\r\nX: "])
async def test_a_head_that_does_not_come_ends_the_connection(said: bytes, served: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*served)
    writer.write(said)
    await closed(reader)
    writer.close()


async def test_a_head_that_drips_ends_the_connection(served: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*served)
    ended = asyncio.create_task(closed(reader))
    with contextlib.suppress(ConnectionError):
        while not ended.done():
            writer.write(b"G")
            await writer.drain()
            await asyncio.sleep(0.05)
    await ended
    writer.close()


async def test_a_reader_that_does_not_read_is_cut_off_and_its_connection_gone(
    served: tuple[str, int],
) -> None:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, served)
    await loop.sock_sendall(connection, b"GET /large HTTP/1.1\r\nHost: d\r\n\r\n")
    async with asyncio.timeout(WAIT_S):
        while connections.Connection.of_address:  # noqa: ASYNC110 - it is the server's own count
            await asyncio.sleep(0.02)
    connection.close()


async def test_silent_strangers_keep_nobody_out_for_long(served: tuple[str, int]) -> None:
    held = [await asyncio.open_connection(*served) for _ in range(100)]
    async with asyncio.timeout(WAIT_S), httpx.AsyncClient() as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://{served[0]}:{served[1]}/health")).status_code == 200:
                    break
            await asyncio.sleep(0.05)
    for _, writer in held:
        writer.close()


async def test_one_address_has_not_all_connections(
    served: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.Connection, "each", 2)
    monkeypatch.setattr(connections.Connection, "head_s", 100.0)
    held = [await asyncio.open_connection(*served) for _ in range(2)]
    reader, writer = await asyncio.open_connection(*served)
    await closed(reader)
    for _, each in (*held, (reader, writer)):
        each.close()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=0-", 206),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(1000)), 200),
        ("bytes=" + "0-," * 1000 + "0-", 200),
        ("bytes=-1", 206),
        ("bytes=--1", 200),
        ("bytes=-0", 416),
        ("bytes=999999999-", 416),
        ("bytes=99999999999999999999999-", 200),
        ("bytes=5-1", 200),
        ("bytes=\xff", 200),
    ],
)
def test_ranges_are_not_abused(
    asked: str, status: int, lasting_depot: Depot, pinger_rpms: tuple[Path, Path]
) -> None:
    content = pinger_rpms[0].read_bytes()
    digest = lasting_depot.put(pinger_rpms[0]).json()["digest"]
    headers = {name.encode(): text.encode() for name, text in READS.items()}
    headers[b"Range"] = asked.encode("latin-1")
    got = httpx.get(f"{lasting_depot.url}/v1/blobs/{digest}", headers=headers, timeout=WAIT_S)
    assert got.status_code == status
    assert len(got.content) <= len(content)


def told(depot: Depot, content: bytes) -> bytes:
    """What the depot answers to raw bytes of somebody who goes on listening."""
    with socket.create_connection(depot.address, timeout=WAIT_S) as connection:
        connection.sendall(content)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/blobs/" + "a" * 63,
        "/v1/blobs/" + "a" * 65,
        "/v1/blobs/" + "A" * 64 + "%0a",
        "/v1/blobs/%2e%2e%2fsecrets.json",
        "/v1/blobs/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/blobs/%00" + "a" * 63,
        "/v1/uploads/..%2flock",
        "/v1/../../etc/passwd",
        "/v1/blobs/%252e%252e%252fsecrets.json",
        "/v1/blobs/..%5c..%5csecrets.json",
        "/v1/blobs/..\\..\\secrets.json",
        "/v1/blobs//etc/passwd",
        "/v1/blobs/%2fetc%2fpasswd",
        "/v1/blobs/%c0%ae%c0%ae%c0%afsecrets.json",
        "/v1/blobs/" + "a" * 64 + "/../../secrets.json",
        "http://elsewhere/etc/passwd",
    ],
)
def test_nothing_else_than_a_digest_names_a_file(path: str, lasting_depot: Depot) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n".encode()
    for name, secret in READS.items():
        head += f"{name}: {secret}\r\n".encode()
    answer_ = told(lasting_depot, head + b"\r\n")
    assert answer_.split()[1] in {b"400", b"403", b"404", b"422"}
    assert b"root:" not in answer_
    assert PLANNER.encode() not in answer_
    assert b"nosniff" in answer_ or answer_.split()[1] == b"400"


def test_a_head_that_is_too_large_is_refused(lasting_depot: Depot) -> None:
    used = lasting_depot.used()
    with contextlib.suppress(ConnectionError):
        told = sent(
            lasting_depot, b"GET /v1/health HTTP/1.1\r\nHost: d\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"
        )
        assert b" 200 " not in told
    assert lasting_depot.used() == used


def test_a_link_among_the_packages_is_not_followed(lasting_depot: Depot, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    digest = "ab" * 32
    link = lasting_depot.data / "blobs" / "ab" / digest
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(precious)
    try:
        got = httpx.get(f"{lasting_depot.url}/v1/blobs/{digest}", headers=READS, timeout=WAIT_S)
    finally:
        link.unlink()
    assert (got.status_code, "precious" in got.text) == (500, False)
