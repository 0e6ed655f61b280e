"""Looking before a change, and changing only what was looked at, over the API."""

from __future__ import annotations

from dsmt_core.commands import Verb
from dsmt_core.names import Slice
from tests.unit.planner_act.conftest import Api, LogIn, Node, StartNode, until
from tests.unit.planner_act.test_rounds import ordered

ONE, TWO = "n1.example.org", "n2.example.org"
ALL = {"plan": "all_nodes", "parameters": {}}
FEW = {"base": "limit", "parameters": {"parent": "all_nodes", "count": "1"}}


async def placed(api: Api, node: Node, slice_: str = "s1") -> None:
    """The node takes the sliver that is ordered."""
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice(slice_): create.generation}
    await node.hold()


async def test_a_preview_tells_and_changes_nothing(api: Api, start_node: StartNode) -> None:
    await start_node(ONE)
    before = await api("POST", "/slices", {"slice": "s1"})
    found = await api("POST", "/slices/s1/plan/preview", ALL)
    assert (found["start"], found["stop"], found["move"], found["stay"]) == (1, 0, 0, 0)
    assert found["touched"] == [
        {
            "host": ONE,
            "does": "start",
            "step": 1,
            "replaces": "",
            "waits": "",
            "reason": "is a node",
            "plan": "all_nodes",
            "function": "all_nodes",
        }
    ]
    after = await api("GET", "/slices/s1")
    assert after["plan"] == ""
    assert after["generation"] == before["generation"]


async def test_a_change_with_the_index_that_was_seen_is_made_and_says_what_it_moves(
    api: Api, start_node: StartNode
) -> None:
    node = await start_node(ONE)
    await api("POST", "/slices", {"slice": "s1"})
    index = (await api("POST", "/slices/s1/plan/preview", ALL))["index"]
    made = await api("PUT", "/slices/s1/plan", {**ALL, "check_index": index})
    assert made["motion"] == {"start": 1, "stop": 0, "move": 0}
    await placed(api, node)
    again = await api("POST", "/slices/s1/plan/preview", ALL)
    assert (again["touched"], again["stay"]) == ([], 1)


async def test_a_change_is_refused_when_the_world_is_another_one(api: Api, start_node: StartNode) -> None:
    await start_node(ONE)
    await api("POST", "/slices", {"slice": "s1"})
    index = (await api("POST", "/slices/s1/plan/preview", ALL))["index"]
    await start_node(TWO)
    status, message, hint = await api.refused("PUT", "/slices/s1/plan", {**ALL, "check_index": index})
    assert status == 409
    assert f"since the index '{index}' was given; nothing is changed" in message
    assert "--dry-run" in hint
    assert (await api("GET", "/slices/s1"))["plan"] == ""


async def test_a_plan_below_what_runs_shows_who_is_touched_before_it_is_defined_anew(
    api: Api, start_node: StartNode
) -> None:
    for host in (ONE, TWO):
        await start_node(host)
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/plans/some", {"base": "limit", "parameters": {"count": "2"}})
    assert (await api("PUT", "/slices/s1/plan", {"plan": "some"}))["motion"]["start"] == 2

    async def carried_out() -> bool:
        return bool((await api("GET", "/slices/s1"))["generation"])

    await until(carried_out)
    found = await api("POST", "/slices/s1/plans/some/preview", FEW)
    (stop,) = found["touched"]
    assert (stop["does"], stop["plan"], stop["reason"]) == ("stop", "some", "over the limit of 1")
    wrong = {**FEW, "check_index": "0000"}
    assert (await api.refused("PUT", "/slices/s1/plans/some", wrong))[0] == 409
    assert (await api("GET", "/slices/s1/plans/some"))["parameters"] == {"count": "2"}
    made = await api("PUT", "/slices/s1/plans/some", {**FEW, "check_index": found["index"]})
    assert made["motion"] == {"start": 0, "stop": 1, "move": 0}


async def test_a_plan_that_is_not_in_force_touches_nobody(api: Api, start_node: StartNode) -> None:
    await start_node(ONE)
    await api("POST", "/slices", {"slice": "s1"})
    found = await api("POST", "/slices/s1/plans/some/preview", FEW)
    assert found["touched"] == []


async def test_what_could_not_be_done_cannot_be_looked_at(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    assert (await api.refused("POST", "/slices/s1/plan/preview", {"plan": "nowhere"}))[0] == 404
    cycle = {"base": "limit", "parameters": {"parent": "a", "count": "1"}}
    assert (await api.refused("POST", "/slices/s1/plans/a/preview", cycle))[0] == 409


async def test_who_may_not_look_into_a_slice_sees_no_preview(api: Api, log_in: LogIn) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api(
        "POST", "/accounts", {"account": "you@example.com", "password": "long secret", "role": "user"}
    )
    you = await log_in("you@example.com", "long secret")
    assert (await you.refused("POST", "/slices/s1/plan/preview", ALL))[0] == 403
