"""Guard rails over the API: who sets them, and that they hold whoever changes the slice."""

from __future__ import annotations

import pytest

from dsmt_core.commands import Verb
from tests.unit.planner_act.conftest import Api, LogIn, StartNode
from tests.unit.planner_act.test_rounds import ordered

GUARD = "/slices/s1/guard"
MEMBER, PASSWORD = "scaler@example.com", "a long secret of a planner"
RAILS = {"least": 2, "most": 4, "step": 1, "cool_down_s": 0.0}


@pytest.fixture
async def scaler(api: Api, log_in: LogIn) -> Api:
    """A service planner's account, a member of a slice with a limit of two."""
    account = {"account": MEMBER, "password": PASSWORD, "role": "user"}
    await api("POST", "/accounts", account)
    await api("POST", "/slices", {"slice": "s1", "members": [MEMBER]})
    await api("PUT", "/slices/s1/plan", limit(2))
    await api("PUT", GUARD, RAILS)
    return await log_in(MEMBER, PASSWORD)


def limit(count: int) -> dict[str, object]:
    return {"plan": "limit", "parameters": {"count": str(count)}}


async def test_rails_are_shown_and_taken_away(api: Api, scaler: Api) -> None:
    assert await scaler("GET", GUARD) == {"slice": "s1", **RAILS, "changed_at": 0.0, "asks": 2}
    none = dict.fromkeys(RAILS, 0)
    assert (await api("PUT", GUARD, {}))["most"] == 0
    assert await api("GET", GUARD) == {"slice": "s1", **none, "changed_at": 0.0, "asks": 2}
    await scaler("PUT", "/slices/s1/plan", limit(50))


async def test_a_member_keeps_to_the_rails_and_cannot_move_them(scaler: Api) -> None:
    status, message, hint = await scaler.refused("PUT", "/slices/s1/plan", limit(4))
    assert status == 409
    assert message == (
        "the guard rails of the slice (at least 2, at most 4, 1 at once) do not allow it: "
        "from 2 to 4 is more than 1 at once"
    )
    assert "dsmtc guard" in hint
    await scaler("PUT", "/slices/s1/plan", limit(3))
    await scaler("PUT", "/slices/s1/plan", limit(4))
    assert "more than 4" in (await scaler.refused("PUT", "/slices/s1/plan", limit(5)))[1]
    assert (await scaler.refused("PUT", GUARD, {}))[0] == 403
    assert (await scaler("GET", GUARD))["asks"] == 4


async def test_a_member_brings_no_agent(api: Api, scaler: Api) -> None:
    mine = {"agent": "mine", "parameters": {}}
    assert (await scaler.refused("PUT", "/slices/s1/agent", mine))[0] == 403
    assert (await api.refused("PUT", "/slices/s1/agent", mine))[0] == 404
    await scaler("PUT", "/slices/s1/agent", {"agent": "deployment-agent", "parameters": {}})


async def test_another_plan_below_the_one_in_force_is_no_way_around(api: Api, scaler: Api) -> None:
    await api("PUT", GUARD, {})
    await scaler("PUT", "/slices/s1/plans/some", {"base": "limit", "parameters": {"count": "2"}})
    await scaler("PUT", "/slices/s1/plan", {"plan": "some"})
    await api("PUT", GUARD, RAILS)
    one = {"base": "limit", "parameters": {"count": "1"}}
    assert "fewer than 2" in (await scaler.refused("PUT", "/slices/s1/plans/some", one))[1]
    assert "fewer than 2" in (await scaler.refused("POST", "/slices/s1/plans/some/preview", one))[1]
    assert (await scaler.refused("PUT", "/slices/s1/plan", {"plan": "failed"}))[0] == 409


async def test_what_comes_too_soon_is_refused(api: Api, scaler: Api) -> None:
    await api("PUT", GUARD, {**RAILS, "cool_down_s": 3600.0})
    await scaler("PUT", "/slices/s1/plan", limit(3))
    assert (await scaler("GET", GUARD))["changed_at"] > 0
    assert "wait another" in (await scaler.refused("PUT", "/slices/s1/plan", limit(4)))[1]
    await scaler("PUT", "/slices/s1/plan", limit(3))


async def test_rails_that_contradict_are_refused(api: Api, scaler: Api) -> None:
    status, message, _ = await api.refused("PUT", GUARD, {"least": 5, "most": 4})
    assert (status, message) == (422, "at least 5 and at most 4 cannot both be kept")


async def test_a_first_plan_may_ask_for_all_that_the_rails_allow(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", GUARD, RAILS)
    assert (await api.refused("PUT", "/slices/s1/plan", limit(5)))[0] == 409
    await api("PUT", "/slices/s1/plan", limit(4))


async def test_an_application_is_not_stopped_below_the_least(api: Api, start_node: StartNode) -> None:
    nodes = [await start_node(f"n{number}.example.org") for number in range(3)]
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "pinger-1.8-1.noarch.rpm", b"rpm pinger 1.8-1")
    await api.put("s1", "dsmtw_pinger-1.8-1.noarch.rpm", b"rpm dsmtw_pinger 1.8-1 pinger = 1.8-1")
    await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    for node in nodes:
        await ordered(node, Verb.CREATE)
    await api("PUT", GUARD, {"least": 2})
    stop = "/slices/s1/applications/pinger/stop"
    for body in ({}, {"hosts": [node.host for node in nodes[:2]]}):
        status, message, _ = await api.refused("POST", stop, body)
        assert (status, message.startswith("the guard rails demand at least 2: ")) == (409, True)
    await api("POST", stop, {"hosts": [nodes[0].host]})
    assert (await api.refused("POST", "/slices/s1/applications/pinger/uninstall", {}))[0] == 409
