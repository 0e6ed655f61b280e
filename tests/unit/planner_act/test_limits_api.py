"""Limits of slivers over the API: who sets them, that they reach the nodes, and what nodes say of them."""

from __future__ import annotations

from dsmt_core.commands import Verb
from dsmt_core.limits import NO_LIMITS, Limits
from tests.unit.planner_act.conftest import Api, LogIn, StartNode
from tests.unit.planner_act.test_rounds import ordered

LIMITS = "/slices/s1/limits"
NONE = {
    "slice": "s1",
    "memory": 0,
    "cpu": 0.0,
    "processes": 0,
    "disk": 0,
    "files": 0,
    "network": "host",
    "root": "",
    "text": "none",
    "hosts": [],
}


async def test_limits_are_set_one_by_one_and_taken_away(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    assert await api("GET", LIMITS) == NONE
    told = await api("PUT", LIMITS, {"memory": "256M", "processes": "100"})
    assert (told["memory"], told["processes"], told["text"]) == (
        256 << 20,
        100,
        "memory 256M, processes 100",
    )
    told = await api("PUT", LIMITS, {"memory": "0", "cpu": "0.5", "network": "none"})
    assert told["text"] == "cpu 0.5, processes 100, network none"
    status, message, _ = await api.refused("PUT", LIMITS, {"cpu": "1", "disk": "much"})
    assert (status, message) == (422, "'much' is not a size")
    assert (await api("GET", LIMITS))["cpu"] == 0.5


async def test_a_member_sees_the_limits_and_does_not_set_them(api: Api, log_in: LogIn) -> None:
    await api("POST", "/accounts", {"account": "u@x", "password": "a long enough one", "role": "user"})
    await api("POST", "/slices", {"slice": "s1", "members": ["u@x"]})
    member = await log_in("u@x", "a long enough one")
    assert await member("GET", LIMITS) == NONE
    assert (await member.refused("PUT", LIMITS, {"memory": "0"}))[0] == 403


async def test_limits_are_ordered_where_the_slice_is_and_again_when_they_change(
    api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    plain = await ordered(node, Verb.CREATE)
    assert plain.limits == NO_LIMITS
    await node.hold(**{"sliver.s1": str(plain.generation), "order.s1": plain.digest})
    await api("PUT", LIMITS, {"memory": "64M"})
    limited = await ordered(node, Verb.CREATE)
    assert limited.limits == Limits(memory=64 << 20)
    assert limited.generation > plain.generation
    assert limited.digest != plain.digest
