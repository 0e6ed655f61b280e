"""What Prometheus reads of a planner."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from broker.metering import HTTP_METRICS, Reader
from depot.metrics import METRICS as OF_A_DEPOT
from dsmt_core.errors import Invalid
from planner.api import create_app
from planner.config import PlannerConfig
from planner.metrics import METRICS
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import LogIn

TOKEN = "0123456789abcdef"
REFERENCE = Path(__file__).parents[3] / "docs/reference/metrics.md"


@pytest.fixture
def config(config: PlannerConfig) -> PlannerConfig:
    return replace(config, metrics=Reader("a file", TOKEN))


@pytest.fixture
async def prometheus(planner: Planner) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(planner), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://planner", headers=headers) as client:
        yield client


async def scraped(client: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(answer.text)
        for sample in family.samples
    }


async def test_every_metric_of_the_table_is_told_and_has_its_line_in_the_reference(
    prometheus: httpx.AsyncClient, log_in: LogIn
) -> None:
    me = await log_in()
    await me("POST", "/slices", {"slice": "web"})
    told = {name for name, _ in await scraped(prometheus)}
    assert {metric.shown for metric in METRICS} <= told
    assert "process_resident_memory_bytes" in told
    documented = dict(
        re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| (.+) \|$", REFERENCE.read_text(), re.MULTILINE)
    )
    assert documented == {one.shown: one.about for one in METRICS} | HTTP_METRICS | OF_A_DEPOT


async def test_figures_follow_what_is(
    prometheus: httpx.AsyncClient, planner: Planner, log_in: LogIn
) -> None:
    me = await log_in()
    before = await scraped(prometheus)
    assert before["dsmt_slices", frozenset()] == 0
    await me("POST", "/slices", {"slice": "web"})
    planner.fleet.join("h1", now=planner.clock() - 7.0)  # type: ignore[arg-type]  # any name will do
    after = await scraped(prometheus)
    assert after["dsmt_slices", frozenset()] == 1
    assert after["dsmt_nodes", frozenset({("state", "unknown")})] == 1
    assert 7.0 <= after["dsmt_heartbeat_age_seconds", frozenset()] < 60
    assert after["dsmt_slice_instances", frozenset({("slice", "web"), ("state", "running")})] == 0
    assert after["dsmt_bus_connected", frozenset()] == 1


async def test_requests_are_counted_by_route_and_strangers_make_no_series(
    prometheus: httpx.AsyncClient,
) -> None:
    for path in ("/v1/slices/one/status", "/v1/slices/two/status", "/nowhere", "/v1/%ff", "/elsewhere"):
        await prometheus.get(path)
    await prometheus.request("BREW", "/v1/slices")
    told = await scraped(prometheus)
    routes = {(dict(labels)["route"], value) for (name, labels), value in told.items() if name == COUNTED}
    assert ("/v1/slices/{slice}/status", 2.0) in routes
    assert {route for route, _ in routes} <= {"/v1/slices/{slice}/status", "/v1/slices", "none"}
    methods = {dict(labels)["method"] for name, labels in told if name == COUNTED}
    assert methods == {"GET", "other"}


COUNTED = "dsmt_http_requests_total"


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"])
async def test_who_has_not_the_token_is_told_nothing(prometheus: httpx.AsyncClient, shown: str) -> None:
    answer = await prometheus.get("/metrics", headers=[(b"authorization", shown.encode())])
    assert answer.status_code == 401
    assert "dsmt_" not in answer.text
    assert "--metrics" in answer.text


async def test_where_nobody_asked_for_it_there_is_no_such_path(
    planner: Planner, prometheus: httpx.AsyncClient
) -> None:
    planner.config = replace(planner.config, metrics=None)
    transport = httpx.ASGITransport(create_app(planner))
    async with httpx.AsyncClient(transport=transport, base_url="http://planner") as client:
        assert (await client.get("/metrics")).status_code == 404


def test_a_token_is_read_once_and_has_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert Reader.parse("") is None
    assert Reader.parse("open") == Reader()
    for wrong in ("", "short", "with a space in the middle", "\u00e9" * 20):
        file.write_text(wrong)
        with pytest.raises(Invalid):
            Reader.parse(str(file))
    with pytest.raises(Invalid, match="No such file"):
        Reader.parse(str(tmp_path / "none"))
    file.write_text(f"{TOKEN}\n")
    reader = Reader.parse(str(file))
    assert reader is not None
    assert reader.may_read(f"bearer {TOKEN}")
    assert TOKEN not in repr(reader)
