"""Plans by facts and labels over the API: what decides, who may label, and what is kept over a restart."""

from __future__ import annotations

import httpx
import pytest

from dsmt_core.names import Host
from planner.config import PlannerConfig
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, LogIn

CLAIM = "0123456789abcdef0123"
ONE, TWO = "n1.example.org", "n2.example.org"


@pytest.fixture
async def pair(api: Api) -> Api:
    """Two nodes and a slice."""
    token = (await api("POST", "/nodes/invite"))["token"]
    for host in (ONE, TWO):
        body = {"host": host, "token": token, "boot_id": "b1", "claim": CLAIM + host}
        await api("POST", "/nodes/join", body)
    await api("POST", "/slices", {"slice": "s1"})
    return api


async def label(api: Api, host: str, **labels: str) -> dict[str, str]:
    answer = await api("PATCH", f"/nodes/{host}/labels", {"labels": labels})
    found: dict[str, str] = answer["labels"]
    return found


async def test_a_label_is_given_changed_and_taken_away(pair: Api) -> None:
    assert await label(pair, ONE, country="JP", rack="r7") == {"country": "JP", "rack": "r7"}
    assert await label(pair, ONE, country="CN", rack="") == {"country": "CN"}
    assert (await pair("GET", f"/nodes/{ONE}"))["labels"] == {"country": "CN"}
    assert (await pair("GET", f"/nodes/{TWO}"))["labels"] == {}


async def test_nodes_are_listed_by_a_condition(pair: Api) -> None:
    await label(pair, ONE, country="JP")

    async def where(condition: str) -> list[str]:
        answer = await pair.client.get("/v1/nodes", params={"where": condition})
        return [one["host"] for one in answer.json()]

    assert await where("country = 'JP'") == [ONE]
    assert await where("country is null") == [TWO]
    assert await where("host like 'n%' and not country = 'CN'") == [ONE]


async def test_a_plan_selects_by_labels_and_explains_one_node(pair: Api) -> None:
    await label(pair, ONE, country="JP")
    asia = {"base": "where", "parameters": {"expr": "country in ('CN','JP')"}}
    await pair("PUT", "/slices/s1/plans/asia", asia)
    one = {"base": "limit", "parameters": {"parent": "asia", "count": "1"}}
    await pair("PUT", "/slices/s1/plans/one", one)
    tried = await pair("POST", "/slices/s1/plans/eval", {"plan": "one"})
    assert [one["host"] for one in tried["hosts"]] == [ONE]
    question = {"plan": "one", "host": TWO}
    assert await pair("POST", "/slices/s1/plans/explain", question) == {
        "host": TWO,
        "selected": False,
        "reason": "the condition is unknown: country is not known",
        "plan": "asia",
        "function": "where",
    }
    inside = await pair("POST", "/slices/s1/plans/explain", question | {"host": ONE})
    assert (inside["selected"], inside["plan"], inside["function"]) == (True, "one", "limit")
    # A person changes a label, and the plan follows.
    await label(pair, ONE, country="DE")
    assert not (await pair("POST", "/slices/s1/plans/eval", {"plan": "one"}))["hosts"]


async def test_functions_tell_what_they_take(api: Api) -> None:
    functions = {one["name"]: one for one in await api("GET", "/functions")}
    assert {"where", "near", "limit", "minus", "site", "rank"} <= functions.keys()
    assert functions["limit"]["one_of"] == ["count", "percent"]
    takes = {one["name"]: (one["takes"], one["default"]) for one in functions["rank"]["parameters"]}
    assert takes["order"] == ("one of asc, desc", "asc")
    assert takes["by"][1] is None


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (
            "/slices/s1/plans/eval",
            {"plan": "where", "parameters": {"expr": "countri = 1"}},
            404,
            "country",
        ),
        ("/slices/s1/plans/eval", {"plan": "where", "parameters": {"expr": "country ="}}, 422, "column"),
        ("/slices/s1/plans/explain", {"plan": "all_nodes", "host": "n3.example.org"}, 404, "did you mean"),
        ("/slices/s1/plans/explain", {"plan": "all_nodes", "host": "a b"}, 422, "host"),
        ("/slices/s1/plans/explain", {"plan": "all_node", "host": ONE}, 404, "all_nodes"),
    ],
)
async def test_bad_questions_are_told(pair: Api, path: str, body: object, status: int, words: str) -> None:
    await label(pair, ONE, country="JP")
    refused = await pair.refused("POST", path, body)
    assert refused[0] == status
    assert words in f"{refused[1]} {refused[2]}"


@pytest.mark.parametrize(
    ("host", "labels", "status"),
    [
        (ONE, {"1st": "x"}, 422),
        (ONE, {"x": "y" * 257}, 422),
        (ONE, {"x": "\x07"}, 422),
        ("n9.example.org", {"x": "y"}, 404),
    ],
)
async def test_bad_labels_are_refused_and_change_nothing(
    pair: Api, host: str, labels: dict[str, str], status: int
) -> None:
    await label(pair, ONE, country="JP")
    assert (await pair.refused("PATCH", f"/nodes/{host}/labels", {"labels": labels}))[0] == status
    assert (await pair("GET", f"/nodes/{ONE}"))["labels"] == {"country": "JP"}


async def test_only_who_may_invite_may_label(pair: Api, log_in: LogIn) -> None:
    await pair("POST", "/accounts", {"account": "you@example.com", "password": "another long secret"})
    you = await log_in("you@example.com", "another long secret")
    assert (await you.refused("PATCH", f"/nodes/{ONE}/labels", {"labels": {"x": "y"}}))[0] == 403


async def test_labels_outlive_the_planner_and_go_with_the_node(
    pair: Api, planner: Planner, config: PlannerConfig
) -> None:
    await label(pair, ONE, country="JP")
    await label(pair, TWO, country="CN")
    await pair("DELETE", f"/nodes/{TWO}")
    await planner.close()
    again = await Planner.open(config)
    again.depot.through(httpx.MockTransport(lambda _: httpx.Response(500)))
    try:
        await again.nodes.load()
        assert again.nodes.one(ONE)["labels"] == {"country": "JP"}
        assert again.fleet.ground.texts("country")[again.fleet.ground.rows[Host(ONE)]] == "JP"
        assert TWO not in again.fleet.ground.rows
    finally:
        await again.close()
