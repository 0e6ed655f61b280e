"""The page's files and its feed: by role, bounded, anew for who was too slow, over with the login."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from dsmt_core.errors import Full
from dsmt_core.names import Host, Slice
from planner.api import create_app
from planner.fleet import NODE, NodeState
from planner.service.planner import Planner
from planner.viewer import add_viewer, feed, feeding
from planner.viewer.feed import Feed, Viewed
from planner.viewer.feeding import Looking
from planner.viewer.rows import NO_HOST
from tests.unit.planner_act.conftest import ADMIN, Api, StartNode

H1 = "node1.example"


@pytest.fixture
def fed(planner: Planner) -> Feed:
    return Feed(planner.watched, planner.ledger, planner.rounds, planner.clock)


@pytest.fixture
async def viewer(planner: Planner, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """The API with the page beside it, as the first account."""
    app = create_app(planner)
    add_viewer(app, planner)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://planner", headers=api.client.headers
    ) as client:
        yield client


def heard(text: str) -> list[dict[str, Any]]:
    return [json.loads(one.removeprefix("data: ")) for one in text.split("\n\n") if one]


def rows(events: list[dict[str, Any]], kind: str) -> list[list[Any]]:
    return [row[kind] for event in events for row in event.get("rows", []) if kind in row]


async def looking(planner: Planner, fed: Feed, api: Api) -> Looking:
    authorization = api.client.headers["authorization"]
    return Looking(planner, fed, await planner.gate.caller(authorization), authorization)


async def until(
    events: AsyncGenerator[dict[str, Any] | str], kind: str, within_s: float = 10.0
) -> list[dict[str, Any]]:
    """What comes, up to the first event that has ``kind``."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(within_s):
        async for event in events:
            found.append(json.loads(event) if isinstance(event, str) else event)
            if kind in found[-1]:
                return found
    raise AssertionError(found)


async def test_the_page_is_for_everybody_and_runs_nothing_but_its_own(viewer: httpx.AsyncClient) -> None:
    viewer.headers.pop("authorization")
    page = await viewer.get("/view/")
    assert page.status_code == 200
    assert "DSMTViewer" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    # Nothing in it is what the policy forbids.
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert (await viewer.get("/")).headers["location"] == "/view/"
    script = await viewer.get("/view/main.js")
    assert script.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    again = await viewer.get("/view/main.js", headers={"if-none-match": script.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["../serving.py", "%2e%2e/serving.py", "..%2fserving.py", "fetched/../../serving.py", "nothing.js"],
)
async def test_nothing_else_is_served(viewer: httpx.AsyncClient, path: str) -> None:
    answer = await viewer.get(f"/view/{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message", "hint"}


async def test_the_fleet_needs_a_login(viewer: httpx.AsyncClient) -> None:
    viewer.headers.pop("authorization")
    assert (await viewer.get("/v1/fleet")).status_code == 401


async def test_the_fleet_at_once(viewer: httpx.AsyncClient, api: Api, start_node: StartNode) -> None:
    await start_node(H1)
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    answer = await viewer.get("/v1/fleet")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = heard(answer.text)
    begin = events[0]["begin"]
    assert begin["you"] == {
        "account": ADMIN,
        "role": "admin",
        "nodes": True,
        "nodes_of_sites": [],
        "slices": ["s1"],
        "all_slices": True,
    }
    assert len(begin["columns"]["node"]) == len(rows(events, "node")[0])
    assert "live" in events[-1]
    assert rows(events, "node")[0][0] == H1
    assert rows(events, "slice")[0][0] == "s1"


async def test_a_page_is_told_what_changes(
    planner: Planner, fed: Feed, api: Api, start_node: StartNode
) -> None:
    await start_node(H1)
    look = await looking(planner, fed, api)
    async with aclosing(look.events(follow=True)) as events:
        await until(events, "live")
        await api("POST", "/slices", {"slice": "s1"})
        first = await until(events, "you")
        assert first[-1]["you"]["slices"] == ["s1"]
        assert rows([*first, *await until(events, "rows")], "slice")[0][0] == "s1"
        await api("PUT", "/slices/s1/plan", {"plan": "all_nodes", "parameters": {}})
        await api("POST", "/slices/s1/manage")
        slivers: list[list[Any]] = []
        while not slivers:
            slivers = rows(await until(events, "rows"), "sliver")
        assert slivers[0][:3] == [H1, "s1", True]
        await api("PATCH", f"/nodes/{H1}/labels", {"labels": {"lat": "1", "lon": "2"}})
        nodes: list[list[Any]] = []
        while not nodes or nodes[-1][2] is None:
            nodes += rows(await until(events, "rows"), "node")
        await api("POST", "/standings/cordon", {"hosts": [H1], "reason": "disk"})
        while nodes[-1][6] != "cordoned":
            nodes += rows(await until(events, "rows"), "node")
        await api("DELETE", "/slices/s1")
        gone: list[list[Any]] = []
        while [NO_HOST, "s1"] not in gone:
            gone += rows(await until(events, "rows"), "gone")


async def test_a_page_sees_only_the_slices_of_its_reader(
    planner: Planner, fed: Feed, api: Api, log_in: Any, start_node: StartNode
) -> None:
    await start_node(H1)
    user = {"account": "user@example.com", "password": "a-long-password", "roles": ["user"]}
    await api("POST", "/accounts", user)
    for name in ("mine", "theirs"):
        body = {"slice": name, "plan": "all_nodes", "managed": True}
        await api("POST", "/slices", body | ({"members": ["user@example.com"]} if name == "mine" else {}))
    me = await log_in("user@example.com", "a-long-password")
    look = await looking(planner, fed, me)
    async with aclosing(look.events(follow=True)) as events:
        told = await until(events, "live")
        assert told[0]["begin"]["you"]["slices"] == ["mine"]
        assert not told[0]["begin"]["you"]["nodes"]
        assert [one[0] for one in rows(told, "slice")] == ["mine"]
        await api("PUT", "/slices/theirs/plan", {"plan": "nodes", "parameters": {"list": H1}})
        await api("PATCH", f"/nodes/{H1}/labels", {"labels": {"a": "b"}})
        later = await until(events, "rows")
        assert "theirs" not in json.dumps([*told, *later])


async def test_a_login_that_ends_ends_the_page(
    planner: Planner, fed: Feed, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "RIGHTS_S", 0.0)
    look = await looking(planner, fed, api)
    async with aclosing(look.events(follow=True)) as events:
        await until(events, "live")
        await api("POST", "/logout")
        assert "ended" in (await until(events, "end"))[-1]["end"]
        assert [one async for one in events] == []


async def test_a_planner_that_ends_ends_its_pages(planner: Planner, fed: Feed, api: Api) -> None:
    look = await looking(planner, fed, api)
    async with aclosing(look.events(follow=True)) as events:
        await until(events, "live")
        fed.end()
        async with asyncio.timeout(5):
            assert [one async for one in events] == []


def test_a_page_that_is_too_slow_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BEHIND", 3)
    page = Viewed()
    keys = [(Host(f"h{number}"), NODE) for number in range(5)]
    page.note(keys)
    assert page.begins
    assert not page.behind
    page.begins = False
    page.note(keys[:3])
    page.note(keys[1:2])
    assert page.take(2) == keys[:2]
    page.note(keys[3:])
    assert page.take(9) == keys[2:]
    page.note(keys)
    assert page.begins
    assert page.take(9) == []


async def test_nothing_is_gathered_while_nobody_looks(
    planner: Planner, fed: Feed, api: Api, start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start_node(H1)
    monkeypatch.setattr(feed, "PAGES", 1)
    monkeypatch.setattr(feed, "_LOOK_S", 0.0)
    page = fed.open()
    with pytest.raises(Full):
        fed.open()
    page.begins = False
    # A row is encoded once, until it changes.
    key = (Host(H1), NODE)
    assert fed.row(key) is fed.row(key)
    planner.fleet.judge(Host(H1), NodeState.SUSPECT)
    fed.look()
    assert key in page.behind
    assert '"suspect"' in fed.row(key)
    fed.close(page)
    planner.fleet.judge(Host(H1), NodeState.FAILED)
    assert planner.fleet.changed.take_shown() == set()
    assert json.loads(fed.row((Host("strange"), NODE))) == {"gone": ["strange", ""]}
    assert json.loads(fed.row((NO_HOST, Slice("strange")))) == {"gone": ["", "strange"]}


async def test_why_a_slice_waits_is_told_when_that_changes(
    planner: Planner, fed: Feed, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LOOK_S", 0.0)
    monkeypatch.setattr(feed, "_SELDOM_S", 0.0)
    await api("POST", "/slices", {"slice": "s1"})
    page = fed.open()
    fed.look()
    page.begins = False
    planner.ledger._wanted = replace(planner.ledger.wanted)
    fed.look()
    assert not page.behind
    await api(
        "PUT", "/slices/s1/plan", {"plan": "limit", "parameters": {"parent": "all_nodes", "count": "2"}}
    )
    async with asyncio.timeout(10):
        while (NO_HOST, Slice("s1")) not in page.behind:
            await asyncio.sleep(0.02)
            fed.look()
    fed.close(page)
