"""The depot's HTTP, asked without a network."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from depot.access import Secrets
from depot.service import Limits, create_app
from depot.store import Store
from tests.unit.depot.crafted import rpm_bytes

SECRETS = Secrets("p" * 20, "n" * 20)
PLANNER = {"Authorization": f"Bearer {SECRETS.planner}"}
NODE = {"Authorization": f"Bearer {SECRETS.node}"}
CONTENT = rpm_bytes({1000: "dsmtw_pinger"})
DIGEST = hashlib.sha256(CONTENT).hexdigest()
BLOB = f"/v1/blobs/{DIGEST}"


@contextlib.asynccontextmanager
async def asking(store: Store, limits: Limits | None = None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(store, SECRETS, limits=limits))
    async with httpx.AsyncClient(transport=transport, base_url="http://depot") as client:
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    with contextlib.closing(Store(tmp_path, max_bytes=10_000)) as store:
        async with asking(store) as opened:
            yield opened


async def test_what_the_planner_puts_a_node_gets(client: httpx.AsyncClient) -> None:
    put = await client.put("/v1/blobs", content=CONTENT, headers={**PLANNER, "X-Content-SHA256": DIGEST})
    assert put.status_code == 200
    assert put.json() == {
        "digest": DIGEST,
        "size": len(CONTENT),
        "kind": "rpm",
        "name": "dsmtw_pinger",
        "version": "1.8-1",
        "arch": "noarch",
        "requires": ["libping = 2:1.0-1", "/bin/sh"],
        "provides": ["pinger = 1.8-1"],
        "application": "pinger",
        "scripts": [],
    }
    got = await client.get(BLOB, headers=NODE)
    assert got.content == CONTENT
    assert got.headers["etag"] == f'"{DIGEST}"'
    head = await client.head(BLOB, headers=NODE)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))


async def test_a_part_of_a_package_is_sent(client: httpx.AsyncClient) -> None:
    await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
    part = await client.get(BLOB, headers={**NODE, "Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, CONTENT[4:10])
    rest = await client.get(BLOB, headers={**NODE, "Range": "bytes=100-"})
    assert rest.content == CONTENT[100:]
    beyond = await client.get(BLOB, headers={**NODE, "Range": "bytes=999999-"})
    assert beyond.status_code == 416


async def test_what_is_known_already_is_not_sent_again(client: httpx.AsyncClient) -> None:
    await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
    answer = await client.get(BLOB, headers={**NODE, "If-None-Match": f'"x", "{DIGEST}"'})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_deleted_package_is_gone(client: httpx.AsyncClient) -> None:
    await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
    assert (await client.delete(BLOB, headers=PLANNER)).status_code == 200
    gone = await client.get(BLOB, headers=NODE)
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("asked", "headers", "status", "code"),
    [
        ("PUT /v1/blobs", {}, 401, "unauthenticated"),
        ("PUT /v1/blobs", NODE, 403, "denied"),
        (f"DELETE {BLOB}", NODE, 403, "denied"),
        (f"DELETE {BLOB}", {}, 401, "unauthenticated"),
        (f"GET {BLOB}", {}, 401, "unauthenticated"),
        (f"GET {BLOB}", {"Authorization": "Bearer x"}, 401, "unauthenticated"),
        (f"GET {BLOB}", NODE, 404, "not_found"),
        ("GET /v1/blobs/xyz", NODE, 422, "invalid"),
        ("GET /v1/blobs/..%2f..%2flock", NODE, 404, "not_found"),
        ("GET /", NODE, 404, "not_found"),
        ("POST /v1/blobs", PLANNER, 405, "not_found"),
    ],
)
async def test_a_refusal_has_its_status_and_a_sentence(
    asked: str, headers: dict[str, str], *, status: int, code: str, client: httpx.AsyncClient
) -> None:
    answer = await client.request(*asked.split(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "\n" not in answer.json()["message"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"hello", {}, 422, "invalid"),
        (b"", {}, 422, "invalid"),
        (CONTENT[:-1], {}, 422, "invalid"),
        (CONTENT, {"X-Content-SHA256": "0" * 64}, 422, "invalid"),
        (CONTENT, {"X-Content-SHA256": "abc"}, 422, "invalid"),
        (CONTENT, {"Content-Length": "1e3"}, 422, "invalid"),
        (rpm_bytes(payload=bytes(20_000)), {}, 507, "full"),
    ],
)
async def test_a_bad_upload_is_refused_and_leaves_nothing(
    content: bytes, headers: dict[str, str], *, status: int, code: str, client: httpx.AsyncClient
) -> None:
    answer = await client.put("/v1/blobs", content=content, headers={**PLANNER, **headers})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await client.get("/v1/health")).json()["used"] == 0


async def test_health_is_told_to_everybody(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/health")).json() == {
        "status": "ok",
        "used": 0,
        "max_bytes": 10_000,
        "sent": 0,
    }


async def test_an_upload_that_falls_silent_is_ended(tmp_path: Path) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        await asyncio.sleep(30)

    with contextlib.closing(Store(tmp_path)) as store:
        async with asking(store, Limits(silence_s=0.05)) as client:
            task = asyncio.create_task(client.put("/v1/blobs", content=half(), headers=PLANNER))
            answer = await asyncio.wait_for(task, 20)
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline")
        assert store.used == 0


async def test_more_uploads_than_allowed_are_told_to_come_again(tmp_path: Path) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        arrived.set()
        await go_on.wait()
        yield CONTENT[100:]

    with contextlib.closing(Store(tmp_path)) as store:
        async with asking(store, Limits(uploads=1)) as client:
            first = asyncio.create_task(client.put("/v1/blobs", content=waiting(), headers=PLANNER))
            await asyncio.wait_for(arrived.wait(), 10)
            second = await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
            go_on.set()
            assert (await asyncio.wait_for(first, 10)).status_code == 200
        assert (second.status_code, second.json()["code"]) == (503, "unavailable")


async def test_the_planner_sees_all_that_is_there_and_nodes_do_not(client: httpx.AsyncClient) -> None:
    await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
    assert (await client.get("/v1/blobs", headers=NODE)).status_code == 403
    (blob,) = (await client.get("/v1/blobs", headers=PLANNER)).json()["blobs"]
    assert (blob["digest"], 0 <= blob["age"] < 60) == (DIGEST, True)
