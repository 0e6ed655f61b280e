"""Whatever is sent to a depot: it answers, and only what the planner sends for a change changes it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depot.access import Secrets
from depot.service import Limits, create_app
from depot.store import Store
from tests.unit.depot.crafted import rpm_bytes

SECRETS = Secrets("p" * 20, "n" * 20)
CONTENT = rpm_bytes({1000: "dsmtw_pinger"})
DIGEST = hashlib.sha256(CONTENT).hexdigest()
METHODS = [
    "GET",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PUT",
    "POST",
    "DELETE",
    "PATCH",
    "PROPFIND",
    "MOVE",
]
CHANGING = {"PUT", "POST", "DELETE"}
ROOM = 10_000

WORDS = st.sampled_from(
    [
        "v1",
        "blobs",
        "uploads",
        "repodata",
        "health",
        "metrics",
        DIGEST,
        DIGEST.upper(),
        "0" * 64,
        "%2e%2e",
        "",
    ]
) | st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "replace"), safe=""))
PATHS = st.one_of(
    st.sampled_from(["/v1/blobs", f"/v1/blobs/{DIGEST}", f"/v1/uploads/{DIGEST}", "/v1/repodata"]),
    st.lists(WORDS, max_size=5).map(lambda words: "/" + "/".join(words)),
)
TOKENS = st.sampled_from(["", "Bearer", f"Bearer {'x' * 20}", f"Basic {SECRETS.planner}", SECRETS.planner])
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Range",
            "If-None-Match",
            "If-Range",
            "Content-Range",
            "X-Content-SHA256",
            "X-HTTP-Method-Override",
        ]
    ),
    st.sampled_from(
        ["bytes=0-", "bytes=-1", "bytes 0-1/3", "bytes=9-1", f'"{DIGEST}"', DIGEST, "*", "DELETE"]
    ),
    max_size=3,
)
BODIES = st.binary(max_size=64) | st.sampled_from([CONTENT, CONTENT[:-1], b"x" * (ROOM + 1), b"{}", b"[]"])


class Place(NamedTuple):
    store: Store
    folder: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("depot")
    with contextlib.closing(Store(folder, max_bytes=ROOM)) as store:
        yield Place(store, folder)


async def sent(
    place: Place, method: str, path: str, headers: dict[str, str], body: bytes
) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(place.store, SECRETS, limits=Limits()))
    async with httpx.AsyncClient(transport=transport, base_url="http://depot") as client:
        return await client.send(
            client.build_request(method, f"http://depot{path}", headers=headers, content=body)
        )


def held(place: Place) -> dict[str, bytes]:
    """Every file with its content, but for the database that counts what was read."""
    files = (path for path in place.folder.rglob("*") if path.is_file() and ".sqlite" not in path.name)
    return {str(path.relative_to(place.folder)): path.read_bytes() for path in files}


LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def put_there(place: Place) -> None:
    """What a former request may have removed."""
    headers = {"Authorization": f"Bearer {SECRETS.planner}"}
    assert asyncio.run(sent(place, "PUT", "/v1/blobs", headers, CONTENT)).status_code == 200


@LAW
@given(st.sampled_from(METHODS), PATHS, st.tuples(TOKENS, HEADERS), BODIES)
def test_a_stranger_gets_nothing_and_changes_nothing(
    place: Place, method: str, path: str, said: tuple[str, dict[str, str]], body: bytes
) -> None:
    put_there(place)
    before = held(place)
    token, headers = said
    told = headers | ({"Authorization": token} if token else {})
    answer = asyncio.run(sent(place, method, path, told, body))
    assert answer.status_code < 500
    assert answer.status_code >= 400 or answer.url.path.startswith("/v1/health")
    assert CONTENT not in answer.content
    assert held(place) == before


@LAW
@given(st.sampled_from(METHODS), PATHS, HEADERS, BODIES)
def test_a_node_changes_nothing(
    place: Place, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    put_there(place)
    before = held(place)
    told = headers | {"Authorization": f"Bearer {SECRETS.node}"}
    assert asyncio.run(sent(place, method, path, told, body)).status_code < 500
    assert held(place) == before


@LAW
@given(st.sampled_from(METHODS), PATHS, HEADERS, BODIES)
def test_the_planner_changes_nothing_by_asking(
    place: Place, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    put_there(place)
    before = held(place)
    told = headers | {"Authorization": f"Bearer {SECRETS.planner}"}
    answer = asyncio.run(sent(place, method, path, told, body))
    # 507: there is no room for it.
    assert answer.status_code < 500 or answer.status_code == 507
    if method not in CHANGING:
        assert held(place) == before
