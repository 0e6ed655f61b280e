"""What Prometheus reads of a depot and of a mirror."""

from __future__ import annotations

import contextlib
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from starlette.applications import Starlette

from broker.metering import Reader
from depot.mirror.mirror import Mirror
from depot.mirror.service import create_mirror
from depot.mirror.shelf import Shelf
from depot.mirror.upstream import Upstream
from depot.service import create_app
from depot.store import Store
from tests.unit.depot.test_service import BLOB, CONTENT, NODE, PLANNER, SECRETS


async def told(app: Starlette) -> dict[str, float]:
    """What is told after one package was put, if it can be, and asked for."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://depot") as client:
        await client.put("/v1/blobs", content=CONTENT, headers=PLANNER)
        await client.get(BLOB, headers=NODE)
        answer = await client.get("/metrics")
    if not answer.is_success:
        assert "dsmt_" not in answer.text
        return {}
    samples = [sample for family in families(answer.text) for sample in family.samples]
    return {one.name: one.value for one in samples if one.name.startswith("dsmt_depot")}


async def test_a_depot_tells_how_full_it_is_and_what_it_sent(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path, max_bytes=10_000)) as store:
        assert await told(create_app(store, SECRETS, reader=Reader())) == {
            "dsmt_depot_used_bytes": len(CONTENT),
            "dsmt_depot_max_bytes": 10_000,
            "dsmt_depot_sent_bytes_total": len(CONTENT),
            "dsmt_depot_fetched_total": 0,
        }


@pytest.mark.parametrize("reader", [None, Reader("file", "x" * 20)])
async def test_who_may_not_read_reads_nothing(tmp_path: Path, reader: Reader | None) -> None:
    with contextlib.closing(Store(tmp_path, max_bytes=10_000)) as store:
        assert await told(create_app(store, SECRETS, reader=reader)) == {}


async def test_a_mirror_tells_the_same(tmp_path: Path) -> None:
    upstream = Upstream("http://127.0.0.1:9", SECRETS.node)
    with contextlib.closing(Shelf(tmp_path, max_bytes=10_000)) as shelf:
        mirror = Mirror(shelf, upstream)
        app = create_mirror(mirror, shelf, SECRETS, url=upstream.url, reader=Reader())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mirror") as client:
            answer = await client.get("/metrics")
        await mirror.close()
    assert "dsmt_depot_max_bytes 10000.0" in answer.text
