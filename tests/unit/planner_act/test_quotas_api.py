"""Quotas of slices and sites over the API: who says them, what they show, and that placement keeps them."""

from __future__ import annotations

import asyncio

import pytest

from dsmt_core.commands import Verb
from planner.floods import Cut, written
from planner.service.planner import Planner
from planner.store import settings
from tests.unit.planner_act.conftest import Api, LogIn, StartNode
from tests.unit.planner_act.test_rounds import ordered

PI, PASSWORD = "pi@east", "a long secret of east"
QUOTA = "/slices/east_web/quota"
NOTHING = dict.fromkeys(("nodes", "slivers", "memory", "depot_bytes", "events_per_second"), 0)


@pytest.fixture
async def pi(api: Api, log_in: LogIn) -> Api:
    """The pi of a site with a slice."""
    await api("POST", "/sites", {"site": "east"})
    await api("POST", "/accounts", {"account": PI, "password": PASSWORD, "role": "pi", "site": "east"})
    await api("POST", "/accounts", {"account": "u@x", "password": PASSWORD, "role": "user"})
    await api("POST", "/slices", {"slice": "east_web", "members": ["u@x"]})
    return await log_in(PI, PASSWORD)


async def test_a_quota_is_said_bound_by_bound_and_taken_away(api: Api, pi: Api) -> None:
    told = await api("GET", QUOTA)
    assert (told["site"], told["quota"], told["bounds"]) == ("east", NOTHING, [])
    await api("PUT", QUOTA, {"nodes": 5, "memory": 1 << 32})
    told = await api("PUT", QUOTA, {"depot_bytes": 1000, "events_per_second": 50})
    assert told["quota"] == NOTHING | {
        "nodes": 5,
        "memory": 1 << 32,
        "depot_bytes": 1000,
        "events_per_second": 50,
    }
    assert {"what": "nodes", "most": 5, "whose": "the slice east_web", "used": 0} in told["bounds"]
    assert (await api("GET", "/slices/east_web/depot"))["allowed"] == 1000
    # All share a user of the broker here, so nobody knows who says how much.
    assert told["bounds"][-1] == {
        "what": "events_per_second",
        "most": 50,
        "whose": "the slice east_web",
        "used": None,
    }
    assert (await api("PUT", QUOTA, dict.fromkeys(NOTHING, 0)))["bounds"] == []
    assert (await api("GET", "/slices/east_web/depot"))["is_default"]


async def test_what_a_site_has_is_inherited(api: Api, pi: Api) -> None:
    await api(
        "PUT", "/sites/east/quota", {"each": {"nodes": 9}, "together": {"nodes": 3, "depot_bytes": 70}}
    )
    told = await api("GET", QUOTA)
    assert [(one["what"], one["most"], one["whose"]) for one in told["bounds"]] == [
        ("nodes", 9, "each slice of the site east"),
        ("depot_bytes", 70, "the site east"),
        ("nodes", 3, "the site east"),
    ]
    site = await pi("GET", "/sites/east/quota")
    assert (site["together"]["nodes"], site["each"]["nodes"], site["used"]["nodes"]) == (3, 9, 0)
    await api("PUT", "/sites/east/quota", {"depot_bytes": 40})
    site = await api("GET", "/sites/east/quota")
    assert (site["each"]["depot_bytes"], site["together"]["depot_bytes"]) == (40, 70)


async def test_what_slices_of_a_site_keep_together_is_bound(api: Api, pi: Api) -> None:
    await api("POST", "/slices", {"slice": "east_two"})
    await api("PUT", "/sites/east/quota", {"together": {"depot_bytes": 150}})
    first, second = b"rpm a 1.0-1 " + b"x" * 88, b"rpm b 1.0-1 " + b"x" * 88
    assert (await api.put("east_web", "a.rpm", first))["version"] == "1.0-1"
    refused = await api.put("east_two", "b.rpm", second)
    assert refused["code"] == "full"
    assert "for all slices of east is full: it has 100 of 150 bytes" in refused["message"]
    room = await api("GET", "/slices/east_two/depot")
    assert (room["site_used"], room["site_allowed"], room["used"]) == (100, 150, 0)
    assert (await api.put("east_web", "a.rpm", second))["version"] == "1.0-1"
    assert (await api.put("east_web", "c.rpm", first))["code"] == "full"


async def test_a_pi_gives_what_the_site_has_and_a_member_nothing(api: Api, pi: Api, log_in: LogIn) -> None:
    await api("PUT", "/sites/east/quota", {"together": {"nodes": 10}})
    await api("PUT", QUOTA, {"nodes": 2, "slivers": 4})
    assert (await pi("PUT", QUOTA, {"nodes": 10}))["quota"]["nodes"] == 10
    assert (await pi("PUT", QUOTA, {"slivers": 3}))["quota"]["slivers"] == 3
    for more, why in (
        ({"nodes": 11}, "the site east has 10 for a slice"),
        ({"slivers": 4}, "the site east has no bound of its own to give from"),
        ({"slivers": 0}, "without a bound"),
    ):
        status, message, hint = await pi.refused("PUT", QUOTA, more)
        assert (status, why in message, "role admin" in hint) == (403, True, True), message
    assert (await pi.refused("PUT", "/sites/east/quota", {"together": {"nodes": 20}}))[0] == 403
    member = await log_in("u@x", PASSWORD)
    status, message, hint = await member.refused("PUT", QUOTA, {"nodes": 1})
    assert (status, "say how much this slice may use" in message, PI in hint) == (403, True, True)
    assert (await member("GET", QUOTA))["quota"]["nodes"] == 10
    assert (await member.refused("GET", "/sites/east/quota"))[0] == 403
    entries = await api("GET", "/audit?act=slice.quota")
    assert [
        one["change"]["is"]["quota"] for one in entries if one["account"] == PI and "is" in one["change"]
    ]
    assert any("may not say how much" in one["outcome"] for one in entries), entries


@pytest.mark.parametrize("wrong", [-1, 1 << 61, 1.5, "5", True, "5G"])
async def test_what_is_no_quota_is_refused(api: Api, pi: Api, wrong: object) -> None:
    assert (await api.refused("PUT", QUOTA, {"nodes": wrong}))[0] == 422
    assert (await api.refused("PUT", "/sites/east/quota", {"together": {"memory": wrong}}))[0] == 422
    assert (await api("GET", QUOTA))["quota"] == NOTHING


async def test_unknown_slices_sites_and_bounds_are_refused(api: Api, pi: Api) -> None:
    assert (await api.refused("PUT", "/slices/none/quota", {"nodes": 1}))[0] == 404
    for path in ("/sites/none/quota", f"/sites/{'x' * 20}/quota"):
        assert (await api.refused("PUT", path, {"together": {"nodes": 1}}))[0] == 404
        assert (await api.refused("GET", path))[0] == 404
        assert (await api.refused("POST", f"{path}/preview", {}))[0] == 404
    assert (await api.refused("GET", f"/sites/{'x' * 21}/quota"))[0] == 422
    assert (await api.refused("PUT", QUOTA, {"cpu": 1}))[0] == 422


async def test_nothing_begins_beyond_it_and_a_preview_says_so(api: Api, start_node: StartNode) -> None:
    nodes = [await start_node(name) for name in ("n1", "n2")]
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/quota", {"nodes": 1})
    motion = (await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"}))["motion"]
    assert motion["start"] == 1
    order = await ordered(nodes[0], Verb.CREATE)
    assert order.host == "n1"
    status = await api("GET", "/slices/s1/status")
    why = "1 more would be beyond the quota: the slice s1 may have 1 node, and has 1"
    assert why in str(status)
    assert (await api("GET", "/slices/s1/quota"))["used"]["nodes"] == 1
    assert (await api("POST", "/slices/s1/quota/preview", {"nodes": 2}))["waiting"] == []
    (waits,) = (await api("POST", "/sites/home/quota/preview", {"together": {"slivers": 1}}))["waiting"]
    assert (waits["slice"], "beyond the quota" in waits["reason"]) == ("s1", True)
    # The site frees it at once.
    await api("PUT", "/slices/s1/quota", {"nodes": 0})
    assert (await ordered(nodes[1], Verb.CREATE)).host == "n2"


async def test_a_planner_that_starts_again_keeps_them(api: Api, pi: Api, planner: Planner) -> None:
    await api("PUT", QUOTA, {"nodes": 2})
    await api("PUT", "/sites/east/quota", {"together": {"slivers": 7}})
    before = planner.ledger.wanted
    await planner.ledger.load()
    after = planner.ledger.wanted
    assert (after.sites, after.slices.keys()) == (before.sites, before.slices.keys())
    assert after.slices.keys() == {"east_web"}
    assert all(one.quota.nodes == 2 for one in after.slices.values())


async def test_a_limit_of_memory_beyond_the_quota_is_refused(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/limits", {"memory": "64M"})
    await api("PUT", "/slices/s1/quota", {"memory": 100 << 20})
    await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    await ordered(node, Verb.CREATE)
    await asyncio.sleep(0)
    status, message, hint = await api.refused("PUT", "/slices/s1/limits", {"memory": "128M"})
    assert (status, "that is beyond the quota with 1 sliver" in message) == (409, True)
    assert "dsmtc slice quota" in hint
    assert (await api.refused("PUT", "/slices/s1/limits", {"memory": "0"}))[0] == 409
    assert (await api("PUT", "/slices/s1/limits", {"memory": "32M"}))["memory"] == 32 << 20


async def test_who_is_cut_off_stays_so_when_the_planner_starts_again(planner: Planner) -> None:
    until = planner.clock() + 60
    cuts = {"sliver.web.n1": Cut(until, 1, "the slice web"), "sliver.web.n2": Cut(until - 99, 1, "it")}
    await planner.database.write(settings.put, "silenced", written(cuts))
    await planner.floods.load()
    assert planner.roster.silenced() == {"sliver.web.n1"}
