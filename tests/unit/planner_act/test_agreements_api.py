"""What the planner holds back, and that people let it go, over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dsmt_core.channels import status_channel
from dsmt_core.commands import Verb
from dsmt_core.names import DEPLOYMENT_AGENT, Slice
from dsmt_core.nodes import HOLDINGS
from planner.config import PlannerConfig
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, LogIn, Node, StartNode, until
from tests.unit.planner_act.test_rounds import ordered

HOSTS = [f"n{number}.example.org" for number in range(3)]
AGREEMENT = "/slices/s1/agreement"


@pytest.fixture
async def racked(api: Api, start_node: StartNode) -> Api:
    """A slice on three nodes of one rack, of which two are then labelled otherwise."""
    nodes = [await start_node(host) for host in HOSTS]
    for host in HOSTS:
        await api("PATCH", f"/nodes/{host}/labels", {"labels": {"rack": "r7"}})
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/plan", {"plan": "where", "parameters": {"expr": "rack = 'r7'"}})
    for node in nodes:
        await place(node)
    for host in HOSTS[:2]:
        await api("PATCH", f"/nodes/{host}/labels", {"labels": {"rack": "r8"}})
    await until(lambda: is_held(api))
    return api


async def place(node: Node) -> None:
    """The sliver is made, and its agent listens: the slice is up there."""
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold()
    await node.say(status_channel(Slice("s1"), DEPLOYMENT_AGENT, node.host), HOLDINGS)


async def is_held(api: Api) -> bool:
    return bool((await api("GET", "/slices/s1/status")).get("held_back", {}).get("hosts"))


async def hosts(api: Api) -> set[str]:
    """The hosts of the slice that were not told to give it up."""
    shown = await api("GET", "/slices/s1/status")
    return {one["host"] for one in shown["hosts"] if one["reason"] != "the sliver is being deleted"}


async def test_one_goes_and_what_else_would_go_is_shown_with_the_index_to_agree(racked: Api) -> None:
    held = (await racked("GET", "/slices/s1/status"))["held_back"]
    (waits,) = held["hosts"]
    assert waits["host"] in HOSTS[:2]
    assert waits["plan"] == waits["function"] == "where"
    assert len(held["index"]) == 16
    assert await racked("GET", AGREEMENT) == held
    assert await hosts(racked) == {HOSTS[2], waits["host"]}


async def test_people_agree_to_just_what_they_were_shown(racked: Api) -> None:
    held = await racked("GET", AGREEMENT)
    status, message, _ = await racked.refused("POST", AGREEMENT, {"index": "0000"})
    assert (status, "is not what the index '0000' stands for" in message) == (409, True)
    assert await is_held(racked)
    assert await racked("POST", AGREEMENT, {"index": held["index"]}) == held

    async def gone() -> bool:
        return await hosts(racked) == {HOSTS[2]}

    await until(gone)
    assert not await is_held(racked)
    assert (await racked.refused("POST", AGREEMENT, {"index": held["index"]}))[0] == 409


async def test_who_agreed_to_what_is_said_on_the_event_service(racked: Api) -> None:
    held = await racked("GET", AGREEMENT)
    await racked("POST", AGREEMENT, {"index": held["index"]})

    async def said() -> list[dict[str, Any]]:
        answer = await racked.client.get("/v1/events", params={"field": "agreed"})
        return [json.loads(line) for line in answer.text.splitlines()]

    async def heard() -> bool:
        return bool(await said())

    await until(heard)
    (event,) = await said()
    assert event["pairs"] == {
        "by": "me@example.com",
        "index": held["index"],
        "count": "1",
        "hosts": held["hosts"][0]["host"],
    }


async def test_what_is_held_is_held_over_a_restart_of_the_planner(
    racked: Api, planner: Planner, config: PlannerConfig
) -> None:
    before = planner.ledger.slice(Slice("s1")).restraint
    assert before.stopped == 1
    await planner.close()
    again = await Planner.open(config)
    try:
        await again.ledger.load()
        assert again.ledger.slice(Slice("s1")).restraint == before
    finally:
        await again.close()


async def test_who_may_not_change_a_slice_agrees_to_nothing(racked: Api, log_in: LogIn) -> None:
    account = {"account": "you@example.com", "password": "a long one", "role": "tech"}
    await racked("POST", "/accounts", account)
    you = await log_in("you@example.com", "a long one")
    held = await you("GET", AGREEMENT)
    assert (await you.refused("POST", AGREEMENT, {"index": held["index"]}))[0] == 403


async def test_where_nothing_waits_there_is_nothing_to_agree_to(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    assert await api("GET", AGREEMENT) == {"slice": "s1", "index": "", "hosts": []}
    assert "held_back" not in await api("GET", "/slices/s1/status")
    assert (await api.refused("POST", AGREEMENT, {"index": ""}))[0] == 409
