"""A mirror against an upstream that does as it is told, without a network."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from depot.access import Secrets
from depot.mirror import transfer
from depot.mirror.mirror import REST_S, Mirror
from depot.mirror.service import create_mirror
from depot.mirror.shelf import Shelf
from depot.mirror.upstream import Upstream
from dsmt_core.errors import Conflict, DsmtError, Full, Invalid, NotFound, Unavailable

SECRETS = Secrets("p" * 20, "n" * 20)
NODE = {"Authorization": f"Bearer {SECRETS.node}"}
CONTENT = random.Random(1).randbytes(1 << 20)  # noqa: S311 - bytes that differ
DIGEST = hashlib.sha256(CONTENT).hexdigest()
BLOB = f"/v1/blobs/{DIGEST}"
SIZE = len(CONTENT)
HALF = SIZE // 2

# What a request meets: status, headers, bytes (then the end, or an exception).
Meets = Callable[[int], tuple[int, dict[str, str], list[bytes | Exception | asyncio.Event]]]


class Pieces(httpx.AsyncByteStream):
    """Sends bytes, waits for events, breaks off."""

    def __init__(
        self, parts: list[bytes | Exception | asyncio.Event], count: Callable[[int], None]
    ) -> None:
        self._parts = parts
        self._count = count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, asyncio.Event):
                await part.wait()
            else:
                for at in range(0, len(part), 65_536):
                    self._count(len(part[at : at + 65_536]))
                    yield part[at : at + 65_536]


def good(begin: int) -> tuple[int, dict[str, str], list[bytes | Exception | asyncio.Event]]:
    headers = {"content-length": str(SIZE - begin), "content-range": f"bytes {begin}-{SIZE - 1}/{SIZE}"}
    return (206 if begin else 200), headers, [CONTENT[begin:]]


def torn(after: int) -> Meets:
    def meets(begin: int) -> tuple[int, dict[str, str], list[bytes | Exception | asyncio.Event]]:
        status, headers, _ = good(begin)
        return status, headers, [CONTENT[begin : begin + after], httpx.ReadError("cut")]

    return meets


def says(status: int, content: bytes = b"", **headers: str) -> Meets:
    return lambda _begin: (status, {"content-length": str(len(content)), **headers}, [content])


@dataclass
class Site:
    """A mirror, and its upstream as it is told."""

    directory: Path
    meets: list[Meets] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    sent: int = 0
    now: float = 0.0
    most: int = 4 * SIZE

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.shelf = Shelf(self.directory, max_bytes=self.most)
        upstream = Upstream("http://depot", SECRETS.node, httpx.MockTransport(self.handle))
        self.mirror = Mirror(self.shelf, upstream, clock=lambda: self.now)
        self.app = create_mirror(self.mirror, self.shelf, SECRETS, url="http://depot")
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://mirror", headers=NODE)

    async def close(self) -> None:
        await self.mirror.close()
        await self.client.aclose()
        self.shelf.close()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {SECRETS.node}"
        begin = int(request.headers.get("range", "bytes=0-")[6:-1])
        self.asked.append(begin)
        status, headers, parts = (self.meets.pop(0) if self.meets else good)(begin)
        return httpx.Response(status, headers=headers, stream=Pieces(parts, self._count))

    def _count(self, size: int) -> None:
        self.sent += size

    async def read(self, digest: str = DIGEST) -> bytes:
        """All of a package, as one reader."""
        content = await self.mirror.content(digest)
        came = bytearray()
        try:
            while len(came) < content.size:
                came += await content.read(len(came), 100_000)
        finally:
            content.close()
        return bytes(came)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path / "mirror")
    yield made
    await made.close()


async def test_many_who_ask_at_once_and_later_cost_one_fetch(site: Site) -> None:
    answers = await asyncio.gather(*(site.client.get(BLOB) for _ in range(50)))
    assert all(one.content == CONTENT for one in answers)
    assert (await site.client.get(BLOB)).content == CONTENT
    assert (site.asked, site.sent) == ([0], SIZE)


async def test_ranges_are_served_while_it_comes_and_afterwards(site: Site) -> None:
    for _ in range(2):
        got = await site.client.get(BLOB, headers={"Range": "bytes=100-199", "If-Range": f'"{DIGEST}"'})
        assert (got.status_code, got.content) == (206, CONTENT[100:200])
        assert got.headers["content-range"] == f"bytes 100-199/{SIZE}"
    assert (await site.client.get(BLOB, headers={"Range": f"bytes={SIZE}-"})).status_code == 416
    assert (await site.client.get(BLOB, headers={"If-None-Match": f'"{DIGEST}"'})).status_code == 304
    assert (await site.client.head(BLOB)).headers["content-length"] == str(SIZE)
    assert site.asked == [0]


async def test_readers_get_bytes_before_all_have_come(site: Site) -> None:
    gate = asyncio.Event()

    def gated(begin: int) -> tuple[int, dict[str, str], list[bytes | Exception | asyncio.Event]]:
        status, headers, _ = good(begin)
        return status, headers, [CONTENT[:HALF], gate, CONTENT[HALF:]]

    site.meets = [gated]
    content = await site.mirror.content(DIGEST)
    assert await content.read(0, 1000) == CONTENT[:1000]
    assert not gate.is_set()
    gate.set()
    assert await content.read(SIZE - 10, 1000) == CONTENT[-10:]
    content.close()


async def test_a_reader_that_goes_takes_nothing_from_the_others(site: Site) -> None:
    gate = asyncio.Event()
    site.meets = [lambda begin: (200, good(begin)[1], [CONTENT[:HALF], gate, CONTENT[HALF:]])]
    reading = [asyncio.create_task(site.read()) for _ in range(3)]
    content = await site.mirror.content(DIGEST)
    assert await content.read(0, 10) == CONTENT[:10]
    content.close()
    reading[0].cancel()
    gate.set()
    done = await asyncio.gather(*reading, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert done[1:] == [CONTENT, CONTENT]
    assert site.asked == [0]


async def test_a_wrong_byte_is_never_served_as_good(site: Site) -> None:
    site.meets = [says(200, CONTENT[:-1] + b"x")]
    content = await site.mirror.content(DIGEST)
    with pytest.raises(Invalid, match="something else"):
        await content.read(SIZE - transfer.HELD_BYTES, 1)
    content.close()
    assert site.shelf.used == 0
    with pytest.raises(Unavailable, match="something else"):
        await site.read()
    site.now += REST_S + 1
    assert await site.read() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", b"small and wrong"])
async def test_a_wrong_package_ends_too_short(content: bytes, site: Site) -> None:
    site.meets = [says(200, content)]
    told: list[MutableMapping[str, Any]] = []
    never = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        await never.wait()
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    headers = [(b"authorization", f"Bearer {SECRETS.node}".encode())]
    scope = {"type": "http", "method": "GET", "path": BLOB, "headers": headers, "query_string": b""}
    await site.app(scope, receive, send)
    assert (b"content-length", str(len(content)).encode()) in told[0]["headers"]
    assert sum(len(one.get("body", b"")) for one in told) <= max(0, len(content) - transfer.HELD_BYTES)
    assert all(one["more_body"] for one in told[1:])


async def test_a_torn_fetch_is_gone_on_with(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_FIRST_WAIT_S", 0.0)
    site.meets = [torn(HALF), torn(0), torn(1000)]
    assert await site.read() == CONTENT
    assert site.asked == [0, HALF, HALF, HALF + 1000]
    assert site.sent == SIZE


async def test_what_came_is_kept_for_the_next_who_asks_and_the_next_life(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_FIRST_WAIT_S", 0.0)
    site.meets = [torn(HALF), torn(0), torn(0)]
    with pytest.raises(Unavailable):
        await site.read()
    await site.close()
    site.open()
    assert site.shelf.used == HALF
    assert await site.read() == CONTENT
    assert site.asked[-1] == HALF


@pytest.mark.parametrize(
    ("meets", "error"),
    [
        (says(404), NotFound),
        (says(503), Unavailable),
        (says(302, location="http://elsewhere/"), Unavailable),
        (says(401), DsmtError),
        (lambda _: (200, {}, [CONTENT]), Invalid),
        (lambda _: (206, {}, [CONTENT]), Invalid),
        (lambda _: (206, {"content-range": f"bytes 5-{SIZE - 1}/{SIZE}"}, [CONTENT[5:]]), Invalid),
        (lambda _: (200, {"content-length": str(8 * SIZE)}, [CONTENT]), Full),
        (lambda _: (200, {"content-length": "9" * 30}, [CONTENT]), Invalid),
    ],
)
async def test_what_the_upstream_does_wrong_is_told(
    meets: Meets, error: type[DsmtError], site: Site
) -> None:
    site.meets = [meets]
    with pytest.raises(error):
        await site.read()
    assert site.shelf.used == 0


async def test_an_upstream_that_sends_more_than_it_said_is_wrong(site: Site) -> None:
    site.meets = [lambda _: (200, {"content-length": "100000"}, [CONTENT])]
    with pytest.raises(Invalid):
        await site.read()


async def test_what_is_here_is_served_while_the_upstream_is_away(site: Site) -> None:
    await site.read()
    await site.close()
    site.open()
    site.meets = [says(503)] * 3
    assert await site.read() == CONTENT
    with pytest.raises(Unavailable):
        await site.read("a" * 64)


async def test_what_rotted_on_the_disk_is_fetched_again(site: Site) -> None:
    await site.read()
    await site.close()
    kept = next((site.directory / "blobs").glob("??/*"))
    kept.write_bytes(CONTENT[:-1] + b"x")
    site.open()
    assert await site.read() == CONTENT
    assert site.asked == [0, 0]


async def test_the_room_is_bounded_and_what_was_used_least_recently_goes(tmp_path: Path) -> None:
    contents = {hashlib.sha256(c).hexdigest(): c for c in (bytes([n]) * 100_000 for n in range(4))}
    site = Site(tmp_path / "mirror", most=300_000)
    digests = list(contents)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(site.close)
        for digest in (*digests[:3], digests[0], digests[3]):
            site.meets = [says(200, contents[digest])]
            assert await site.read(digest) == contents[digest]
        assert site.shelf.used == 300_000
        kept = {path.name for path in (tmp_path / "mirror" / "blobs").glob("??/*")}
        assert kept == {digests[0], digests[2], digests[3]}


async def test_it_changes_nothing_and_knows_whom_it_serves(site: Site) -> None:
    for method in ("PUT", "DELETE", "POST", "PATCH"):
        assert (await site.client.request(method, BLOB)).status_code == 403
    assert (await site.client.get(BLOB, headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await site.client.get("/v1/blobs/..%2f..%2fetc")).status_code in {404, 422}
    assert (await site.client.get("/v1/blobs/" + "a" * 63)).status_code == 422
    assert (await site.client.get("/v1/health")).json()["mirror_of"] == "http://depot"
    assert site.asked == []


async def test_a_directory_serves_one_mirror(site: Site) -> None:
    with pytest.raises(Conflict):
        Shelf(site.directory, max_bytes=1)


async def test_links_and_strange_files_in_its_directory_are_not_followed(
    site: Site, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (site.directory / "torn" / DIGEST).symlink_to(precious)
    with pytest.raises(Unavailable, match="cannot keep"):
        await site.read()
    assert precious.read_text() == "precious"
