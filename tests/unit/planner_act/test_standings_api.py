"""Standings of nodes and budgets of slices as people set and see them, over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from dsmt_core.channels import status_channel
from dsmt_core.commands import Verb
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.names import SLIVER_BOOTSTRAP, Host, Slice
from planner.config import PlannerConfig
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, LogIn, StartNode, until
from tests.unit.planner_act.test_rounds import ordered

ONE, TWO = "n1.a.org", "n2.b.org"


@pytest.fixture
async def pair(api: Api, start_node: StartNode) -> Api:
    """Two nodes, and a slice that wants to be on both."""
    for name in (ONE, TWO):
        await start_node(name)
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})

    async def placed() -> bool:
        return len((await api("GET", "/slices/s1/status"))["hosts"]) == 2

    await until(placed)
    return api


async def say(api: Api, verb: str, *hosts: str, **more: object) -> Any:
    return await api("POST", f"/standings/{verb}", {"hosts": list(hosts), **more})


async def state(api: Api, host: str) -> str:
    return str((await api("GET", f"/nodes/{host}"))["standing"]["state"])


async def test_a_cordon_is_shown_with_who_why_and_since_when(pair: Api) -> None:
    assert await state(pair, ONE) == "in service"
    [told] = await say(pair, "cordon", ONE, reason="disk swap")
    assert (told["host"], told["changed"]) == (ONE, True)
    shown = (await pair("GET", f"/nodes/{ONE}"))["standing"]
    assert shown["state"] == "cordoned"
    assert shown["sentence"].startswith("cordoned: disk swap (by me@example.com, since 20")
    assert shown["cordoned"]["by"] == "me@example.com"
    assert [one["host"] for one in await pair("GET", "/standings")] == [ONE]
    await say(pair, "uncordon", ONE, TWO)
    assert await pair("GET", "/standings") == []


async def test_a_word_about_a_node_is_no_deafness_and_restarts_no_time_limit(
    pair: Api, planner: Planner
) -> None:
    since, rounds = planner.rounds.sent.listening_since, planner.rounds.count
    await say(pair, "cordon", ONE)

    async def looked() -> bool:
        return planner.rounds.count > rounds

    await until(looked)
    assert planner.rounds.sent.listening_since == since


async def test_nodes_can_be_asked_for_by_how_they_stand(pair: Api) -> None:
    await say(pair, "cordon", ONE)
    for where, hosts in (("standing = 'cordoned'", [ONE]), ("standing <> 'cordoned'", [TWO])):
        answer = await pair.client.get("/v1/nodes", params={"where": where})
        assert [one["host"] for one in answer.json()] == hosts


async def test_of_no_nodes_none_is_found_whatever_is_asked_for(api: Api) -> None:
    answer = await api.client.get("/v1/nodes", params={"where": "load1 < 2 and standing = 'cordoned'"})
    assert (answer.status_code, answer.json()) == (200, [])


async def test_nodes_are_chosen_by_a_condition_and_only_listed_in_a_dry_run(pair: Api) -> None:
    body = {"where": f"host = '{TWO}'", "reason": "old", "dry_run": True}
    assert [one["host"] for one in await pair("POST", "/standings/exclude", body)] == [TWO]
    assert await state(pair, TWO) == "in service"
    # What would be refused is refused now.
    assert (await pair.refused("POST", "/standings/exclude", body | {"reason": ""}))[0] == 422
    assert (await pair.refused("POST", "/standings/drain", body | {"deadline_s": -1}))[0] == 422
    await pair("POST", "/standings/exclude", body | {"dry_run": False})
    assert await state(pair, TWO) == "excluded"
    assert (await pair("GET", f"/nodes/{TWO}"))["state"] == "alive", "it is heard, and excluded"


async def test_plans_tell_who_is_out_of_service(pair: Api) -> None:
    await say(pair, "exclude", ONE, reason="too old")
    tried = await pair("POST", "/slices/s1/plans/eval", {"plan": "all_nodes"})
    assert [one["host"] for one in tried["hosts"]] == [TWO]
    [out] = tried["left_out"]
    assert out["reason"].startswith("excluded: too old (by me@example.com, since ")
    assert out["function"] == "standing"


async def test_what_is_excluded_at_once_is_ordered_away(api: Api, start_node: StartNode) -> None:
    node = await start_node(ONE)
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold()
    booted = status_channel(Slice("s1"), SLIVER_BOOTSTRAP, Host(ONE))
    await node.say(booted, DEPLOYMENT_STATUS, status="running")

    async def up() -> bool:
        return bool((await api("GET", "/slices/s1/budget"))["up"] == 1)

    await until(up)
    await api("PUT", "/slices/s1/budget", {"budget": "keep 1"})
    await say(api, "exclude", ONE, reason="it burns")

    async def held() -> bool:
        left = (await api("GET", f"/nodes/{ONE}"))["standing"]["left"]
        return bool(left) and "disruption budget (keep 1) holds it" in left[0]["reason"]

    await until(held)
    status = await api("GET", "/slices/s1/status")
    assert any("the disruption budget" in reason for reason in status["waiting_reasons"])
    await say(api, "exclude", ONE, reason="it burns", at_once=True)
    assert (await ordered(node, Verb.DELETE)).slice == "s1"
    node.slivers = {}
    await node.hold(**{"gone.s1": "99"})

    async def empty() -> bool:
        return not (await api("GET", f"/nodes/{ONE}"))["standing"]["left"]

    await until(empty)


async def test_what_is_not_managed_is_told_to_stay(pair: Api) -> None:
    await pair("DELETE", "/slices/s1/manage")
    await say(pair, "drain", ONE)
    standing = (await pair("GET", f"/nodes/{ONE}"))["standing"]
    assert (standing["state"], standing["left"]) == (
        "draining",
        [{"slice": "s1", "reason": "the slice is not managed, so nothing of it is stopped"}],
    )


async def test_a_window_holds_from_its_lead_on(pair: Api) -> None:
    window = {"begins": "2999-01-01T22:00+02:00", "lasts_s": 3600.0}
    refused = await pair.refused("POST", "/standings/window", {"hosts": [ONE], "window": window})
    assert (refused[0], "within 366 days" in refused[1]) == (422, True)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    window = {"begins": soon.isoformat(), "lasts_s": 3600.0}
    await say(pair, "window", ONE, window=window)
    assert await state(pair, ONE) == "in service"
    [told] = await say(pair, "window", ONE, window=window | {"lead_s": 600.0}, reason="new disks")
    assert told["standing"]["state"] == "maintenance"
    assert ", until 20" in told["standing"]["sentence"]
    assert len(told["standing"]["windows"]) == 1
    await say(pair, "cancel-windows", ONE)
    assert await state(pair, ONE) == "in service"


@pytest.mark.parametrize(
    ("verb", "body", "status", "words"),
    [
        ("cordon", {}, 422, "no node is named"),
        ("cordon", {"hosts": [ONE], "where": "host = 'x'"}, 422, "not both"),
        ("cordon", {"where": "host = 'x'"}, 404, "of no node"),
        ("cordon", {"where": "host ="}, 422, "column"),
        ("cordon", {"hosts": [ONE, "n3.c.org"]}, 404, "there is no node n3.c.org"),
        ("cordon", {"hosts": ["a b"]}, 422, "host"),
        ("exclude", {"hosts": [ONE]}, 422, "for a reason"),
        ("drain", {"hosts": [ONE], "deadline_s": -1}, 422, "a drain within"),
        ("drain", {"hosts": [ONE], "force": True}, 422, "needs a deadline"),
        ("window", {"hosts": [ONE], "window": {"begins": "soon"}}, 422, "the begin 'soon'"),
        ("window", {"hosts": [ONE], "window": {"begins": "2026-01-01"}}, 422, "ends after it begins"),
        ("destroy", {"hosts": [ONE]}, 422, "verb"),
    ],
)
async def test_a_refusal_names_the_cause_and_changes_nothing(
    pair: Api, verb: str, body: object, status: int, words: str
) -> None:
    refused = await pair.refused("POST", f"/standings/{verb}", body)
    assert refused[0] == status, refused
    assert words in f"{refused[1]} {refused[2]}"
    assert await pair("GET", "/standings") == []


async def test_only_an_admin_takes_nodes_out_of_service(pair: Api, log_in: LogIn) -> None:
    await pair("POST", "/accounts", {"account": "you@example.com", "password": "another long secret"})
    you = await log_in("you@example.com", "another long secret")
    refused = await you.refused("POST", "/standings/cordon", {"hosts": [ONE]})
    assert refused[0] == 403
    assert "take them out of service" in refused[1]
    assert await you("GET", "/standings") == []
    assert (await you.refused("PUT", "/slices/s1/budget", {"budget": "keep 1"}))[0] == 403


async def test_a_budget_tells_what_it_allows_and_what_contradicts_it(pair: Api) -> None:
    told = await pair("GET", "/slices/s1/budget")
    assert (told["budget"], told["is_default"], told["least"]) == ("max-unavailable 10%", True, 1)
    seen = await pair("POST", "/slices/s1/budget/preview", {"budget": "keep 100%"})
    assert (seen["budget"], seen["is_default"], seen["least"]) == ("keep 100%", False, 2)
    assert await pair("GET", "/slices/s1/budget") == told
    assert (await pair.refused("POST", "/slices/s1/budget/preview", {"budget": "all"}))[0] == 422
    told = await pair("PUT", "/slices/s1/budget", {"budget": "keep 100%"})
    assert told["contradiction"] == "all 2 must run, and the plan has no other node to give"
    told = await pair("PUT", "/slices/s1/budget", {"budget": "keep 3"})
    assert told["contradiction"] == "at least 3 must run, and the plan has only 2"
    one = {"plan": "limit", "parameters": {"count": "1"}}
    await pair("PUT", "/slices/s1/plan", one)
    told = await pair("PUT", "/slices/s1/budget", {"budget": "keep 100%"})
    assert (told["least"], told["contradiction"]) == (1, "")
    assert (await pair("GET", "/slices/s1/status"))["budget"]["budget"] == "keep 100%"
    assert (await pair.refused("PUT", "/slices/s1/budget", {"budget": "most"}))[0] == 422


async def test_all_this_outlives_the_planner_and_goes_with_the_node(
    pair: Api, planner: Planner, config: PlannerConfig
) -> None:
    await say(pair, "cordon", ONE, TWO, reason="both")
    await say(pair, "drain", ONE, deadline_s=600, force=True)
    await pair("PUT", "/slices/s1/budget", {"budget": "keep 1"})
    before = planner.ledger.wanted
    await planner.close()
    again = await Planner.open(config)
    again.depot.through(httpx.MockTransport(lambda _: httpx.Response(500)))
    try:
        await again.ledger.load()
        await again.nodes.load()
        assert again.ledger.wanted.standings == before.standings
        assert again.ledger.slice(Slice("s1")).budget.text == "keep 1"
        await again.bus.start(wait_s=5)
        await again.nodes.forget(TWO)
        assert again.ledger.wanted.standings.keys() == {Host(ONE)}
        await again.ledger.load()
        assert again.ledger.wanted.standings.keys() == {Host(ONE)}
    finally:
        await again.close()
