"""The API over the real planner: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from planner.service.planner import Planner
from planner.service.tap import Filter
from tests.unit.planner_act.conftest import ADMIN, PASSWORD, Api, FakeDepot, LogIn, StartNode, until

CLAIM = "0123456789abcdef0123"


async def joined(api: Api, *hosts: str) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    for host in hosts:
        body = {"host": host, "token": token, "boot_id": "b1", "claim": CLAIM + host}
        await api("POST", "/nodes/join", body)


async def test_health_needs_no_login(anybody: Api) -> None:
    health = await anybody("GET", "/health")
    assert (health["status"], health["broker"]) == ("ok", "connected")
    assert health["planner_id"]


async def test_everything_else_needs_a_login(anybody: Api) -> None:
    for path in ("/whoami", "/slices", "/nodes", "/events", "/bus", "/slices/s1/status"):
        status, _, hint = await anybody.refused("GET", path)
        assert status == 401
        assert "log in" in hint


async def test_a_wrong_password_is_refused_without_saying_which_part_is_wrong(anybody: Api) -> None:
    one = await anybody.refused("POST", "/login", {"account": ADMIN, "password": "wrong wrong"})
    two = await anybody.refused("POST", "/login", {"account": "nobody@example.com", "password": "x"})
    assert one[0] == two[0] == 401
    assert one[1].replace(ADMIN, "nobody@example.com") == two[1]


async def test_too_many_wrong_passwords_are_slowed_down(anybody: Api) -> None:
    for _ in range(6):
        await anybody.refused("POST", "/login", {"account": ADMIN, "password": "wrong wrong"})
    status, message, hint = await anybody.refused(
        "POST", "/login", {"account": ADMIN, "password": PASSWORD}
    )
    assert status == 403
    assert "too many" in message
    assert "wait" in hint


async def test_a_role_may_be_written_in_capitals(log_in: LogIn) -> None:
    api = await log_in(role="PI")
    told = await api("GET", "/whoami")
    assert (told["account"], told["role"], told["slices"]) == (ADMIN, "pi", [])


async def test_a_role_that_is_not_held_is_refused(anybody: Api) -> None:
    body = {"account": ADMIN, "password": PASSWORD, "role": "tech"}
    status, message, hint = await anybody.refused("POST", "/login", body)
    assert (status, "tech" in message, "admin, pi, user" in hint) == (403, True, True)


async def test_a_slice_is_made_managed_and_its_user_gets_an_account(api: Api) -> None:
    made = await api("POST", "/slices", {"slice": "s1", "user": "you@example.com"})
    assert (made["managed"], made["owner"], made["accounts_made"]) == (
        True,
        "you@example.com",
        ["you@example.com"],
    )
    assert (made["agent"], made["plan"], made["generation"]) == ("deployment-agent", "", 0)
    assert await api("POST", "/slices/s1/manage") == {"slice": "s1", "managed": True, "changed": False}
    accounts = {one["account"]: one for one in await api("GET", "/accounts")}
    assert accounts["you@example.com"] == {
        "account": "you@example.com",
        "roles": ["user"],
        "has_password": False,
        "site": "home",
        "site_roles": {},
    }


async def test_members_work_in_their_slice_and_nowhere_else(api: Api, log_in: LogIn) -> None:
    await api("POST", "/slices", {"slice": "mine", "user": "you@example.com"})
    await api("POST", "/slices", {"slice": "other"})
    await api("PUT", "/accounts/you@example.com/password", {"password": "another secret"})
    you = await log_in("you@example.com", "another secret")
    assert [one["slice"] for one in await you("GET", "/slices")] == ["mine"]
    await you("PUT", "/slices/mine/plan", {"plan": "all_nodes"})
    status, message, hint = await you.refused("PUT", "/slices/other/plan", {"plan": "all_nodes"})
    assert status == 403
    assert "membership of the slice other" in hint
    assert (await you.refused("GET", "/slices/other/status"))[0] == 403
    assert (await you.refused("GET", "/slices/othr/status"))[:2] == (404, "there is no slice othr")
    assert (await you.refused("POST", "/slices", {"slice": "new"}))[0] == 403
    assert (await you.refused("DELETE", "/slices/mine"))[0] == 403
    assert (await you.refused("POST", "/nodes/invite"))[0] == 403
    assert (await you.refused("GET", "/events?channel=/org/dsmt/ns/deployment/other/"))[0] == 403
    assert "role" in message or "may not" in message


async def test_a_new_password_ends_the_logins(api: Api, log_in: LogIn) -> None:
    await api("POST", "/accounts", {"account": "a@b", "password": "first secret"})
    person = await log_in("a@b", "first secret")
    assert (await person.refused("PUT", "/accounts/a@b/password", {"password": "second secret"}))[0] == 403
    body = {"password": "second secret", "old_password": "first secret"}
    await person("PUT", "/accounts/a@b/password", body)
    assert (await person.refused("GET", "/whoami"))[0] == 401
    await log_in("a@b", "second secret")


async def test_plans_are_checked_before_they_are_stored(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    plan = "/slices/s1/plans"
    await api(
        "PUT",
        f"{plan}/goodNodes",
        {"base": "minus", "parameters": {"left": "all_nodes", "right": "failed"}},
    )
    await api(
        "PUT", f"{plan}/only3", {"base": "limit", "parameters": {"parent": "goodNodes", "count": "3"}}
    )
    await api("PUT", "/slices/s1/plan", {"plan": "only3"})
    assert [one["name"] for one in await api("GET", plan) if not one["builtin"]] == ["goodNodes", "only3"]
    cycle = {"base": "minus", "parameters": {"left": "only3", "right": "failed"}}
    assert (await api.refused("PUT", f"{plan}/goodNodes", cycle))[0] == 409
    assert (await api.refused("DELETE", f"{plan}/goodNodes"))[0] == 409
    assert (await api.refused("DELETE", f"{plan}/only3"))[0] == 409
    assert (await api.refused("PUT", f"{plan}/x", {"base": "limt", "parameters": {}}))[0] == 404
    assert (await api.refused("PUT", f"{plan}/x", {"base": "limit", "parameters": {"count": "0"}}))[
        0
    ] == 422
    assert (await api.refused("PUT", "/slices/s1/plan", {"plan": "nothing"}))[0] == 404
    shown = await api("GET", f"{plan}/only3")
    assert shown == {
        "name": "only3",
        "base": "limit",
        "parameters": {"parent": "goodNodes", "count": "3"},
        "builtin": False,
    }


async def test_a_plan_can_be_tried_with_the_reason_for_each_host(api: Api) -> None:
    await joined(api, "n1.example.org", "n2.example.org")
    await api("POST", "/slices", {"slice": "s1"})
    tried = await api("POST", "/slices/s1/plans/eval", {"plan": "limit", "parameters": {"count": "3"}})
    assert {one["host"] for one in tried["hosts"]} == {"n1.example.org", "n2.example.org"}
    assert tried["missing"] == 1
    assert all(one["reason"] for one in tried["hosts"])


async def test_a_wrapper_adds_its_application_when_all_it_requires_is_there(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    wrapper = await api.put("s1", "dsmtw_pinger-1.8.noarch.rpm", b"rpm dsmtw_pinger 1.8-1 pinger = 1.8-1")
    assert (wrapper["application_added"], wrapper["used_now"]) == (True, False)
    assert "pinger = 1.8-1" in wrapper["waits_for"]
    waiting = (await api("GET", "/slices/s1/status"))["waiting_reasons"]
    assert any("pinger" in reason and "lacks" in reason for reason in waiting)
    assert (await api.refused("POST", "/slices/s1/applications/pinger/start"))[0] == 409
    package = await api.put("s1", "pinger-1.8.noarch.rpm", b"rpm pinger 1.8-1")
    assert (package["application_added"], package["used_now"]) == (False, True)
    shown = (await api("GET", "/slices/s1"))["applications"]
    assert [(one["application"], one["version"], one["run"]) for one in shown] == [
        ("pinger", "1.8-1", "running")
    ]
    again = await api.put("s1", "pinger-1.8.noarch.rpm", b"rpm pinger 1.8-1")
    assert again["used_now"]


async def test_what_is_wanted_is_not_removed(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "pinger-1.8.noarch.rpm", b"rpm pinger 1.8-1")
    await api.put("s1", "dsmtw_pinger-1.8.noarch.rpm", b"rpm dsmtw_pinger 1.8-1 pinger = 1.8-1")
    for filename in ("pinger-1.8.noarch.rpm", "dsmtw_pinger-1.8.noarch.rpm"):
        status, message, _ = await api.refused("DELETE", f"/slices/s1/packages/{filename}")
        assert status == 409
        assert "pinger" in message
    replaced = await api.put("s1", "pinger-1.8.noarch.rpm", b"rpm pinger 1.8-1\nanother content")
    assert replaced["code"] == "conflict"
    await api("POST", "/slices/s1/applications/pinger/uninstall")
    await api("DELETE", "/slices/s1/packages/pinger-1.8.noarch.rpm")
    assert [one["filename"] for one in await api("GET", "/slices/s1/packages")] == [
        "dsmtw_pinger-1.8.noarch.rpm"
    ]


async def test_a_newer_version_is_used_only_after_update(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    put: dict[str, object] = {}
    for version in ("1.8-1", "1.9-1"):
        await api.put("s1", f"pinger-{version}.rpm", f"rpm pinger {version}".encode())
        wrapper = f"rpm dsmtw_pinger {version} pinger = {version}".encode()
        put = await api.put("s1", f"dsmtw_pinger-{version}.rpm", wrapper)
    assert (put["application_added"], put["used_now"]) == (False, False)
    assert (await api("GET", "/slices/s1"))["applications"][0]["version"] == "1.8-1"
    verb = "/slices/s1/applications/pinger/update"
    assert (await api("POST", verb))["changed"]
    assert (await api("GET", "/slices/s1"))["applications"][0]["version"] == "1.9-1"
    assert not (await api("POST", verb))["changed"]
    assert (await api("POST", verb, {"version": "1.8-1"}))["changed"]
    status, _, hint = await api.refused("POST", verb, {"version": "7-1"})
    assert status == 404
    assert "1.8-1, 1.9-1" in hint


async def test_what_the_depot_refuses_is_told_with_its_own_words(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    assert (await api.put("s1", "x.rpm", b"no package"))["code"] == "invalid"
    full = await api.client.put("/v1/slices/s1/packages/x.rpm", content=b"too much")
    assert (full.status_code, full.json()["message"]) == (507, "the depot is full")
    assert (await api.put("nowhere", "x.rpm", b"rpm x 1"))["code"] == "not_found"
    assert (await api.put("s1", "..%2Fx.rpm", b"rpm x 1"))["code"] in {"invalid", "not_found"}


async def test_a_package_comes_back_as_it_was_put(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    content = b"rpm pinger 1.8-1\n" + bytes(range(256)) * 1000
    await api.put("s1", "pinger.rpm", content)
    answer = await api.client.get("/v1/slices/s1/packages/pinger.rpm")
    assert answer.content == content


async def test_a_node_joins_with_a_token_and_rejoins_with_its_claim(api: Api, anybody: Api) -> None:
    token = (await api("POST", "/nodes/invite", {"expires_in_s": 60}))["token"]
    assert await api("GET", "/nodes?names=1") == [
        {"host": one["host"]} for one in await api("GET", "/nodes")
    ]
    body = {"host": "N1.example.org", "token": token, "boot_id": "b1", "claim": CLAIM}
    told = await anybody("POST", "/nodes/join", body)
    assert told["host"] == "n1.example.org"
    assert told["queue"] == "dsmt.node.2.n1.example.org"
    assert told["broker"].startswith("memory://node@")
    assert (told["heartbeat_s"], told["depot"], told["slivers"]) == (0.2, "http://depot.example", {})
    assert told["depot_token"]
    again = await anybody("POST", "/nodes/join", body | {"token": "", "boot_id": "b2"})
    assert again["queue"] == told["queue"]
    assert [one["host"] for one in await api("GET", "/nodes")] == ["n1.example.org"]
    assert await api("GET", "/nodes?names=1") == [{"host": "n1.example.org"}]
    assert await api("GET", "/nodes?names=1&where=cpus%20%3E%209999") == []


async def is_alive(api: Api, host: str) -> bool:
    return bool((await api("GET", f"/nodes/{host}"))["state"] == "alive")


async def test_a_second_living_node_of_the_name_is_refused(
    api: Api, anybody: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await until(lambda: is_alive(api, "n1"))
    token = (await api("POST", "/nodes/invite"))["token"]
    body = {"host": "n1", "token": token, "boot_id": "b2", "claim": "another claim, another"}
    status, message, hint = await anybody.refused("POST", "/nodes/join", body)
    assert (status, "n1" in message, "forget" in hint) == (409, True, True)
    node.die()

    async def is_over() -> bool:
        return not await is_alive(api, "n1")

    await until(is_over)
    await api("DELETE", "/nodes/n1")
    await anybody("POST", "/nodes/join", body)


async def test_a_living_node_is_not_forgotten_with_what_it_runs(api: Api, start_node: StartNode) -> None:
    await start_node("n1")
    await until(lambda: is_alive(api, "n1"))
    status, message, hint = await api.refused("DELETE", "/nodes/n1")
    assert (status, "n1 is alive" in message, "end" in hint) == (409, True, True)


async def test_the_openapi_says_how_to_log_in_and_what_an_error_is(api: Api) -> None:
    told = (await api.client.get("/v1/openapi.json")).json()
    assert [one["scheme"] for one in told["components"]["securitySchemes"].values()] == ["bearer"]
    assert set(told["components"]["schemas"]["Refusal"]["properties"]) == {
        "code",
        "message",
        "hint",
        "place",
    }
    assert "HTTPValidationError" not in json.dumps(told)
    upload = told["paths"]["/v1/slices/{slice}/packages/{filename}"]["put"]
    assert "application/octet-stream" in upload["requestBody"]["content"]


async def test_of_two_nodes_that_join_at_once_one_gets_the_name(api: Api, anybody: Api) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    body = {"host": "n1", "token": token, "boot_id": "b"}
    answers = await asyncio.gather(
        *(
            anybody.client.post("/v1/nodes/join", json=body | {"claim": f"{CLAIM}{number}"})
            for number in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_a_node_without_an_invitation_is_refused(api: Api, anybody: Api) -> None:
    body = {"host": "n1", "token": "guessed", "boot_id": "b", "claim": CLAIM}
    assert (await anybody.refused("POST", "/nodes/join", body))[0] == 403
    token = (await api("POST", "/nodes/invite", {"expires_in_s": 0.001}))["token"]
    await asyncio.sleep(0.002)
    assert (await anybody.refused("POST", "/nodes/join", body | {"token": token}))[0] == 403
    assert (await api.refused("POST", "/nodes/invite", {"expires_in_s": -1}))[0] == 422


BAD_SLICES: tuple[object, ...] = (
    {"slice": "s1", "unknown": 1},
    {"slice": 7},
    {},
    {"slice": "a/b"},
    {"slice": "x" * 41},
    {"slice": "dsmt"},
    {"slice": "s1", "agent": "no-agent"},
    {"slice": "s1", "agent": "deployment-agent", "agent_parameters": {"x": "1"}},
    {"slice": "s1", "agent_parameters": {"status_period": "-1"}},
    {"slice": "s1", "plan": "unknown_plan"},
    [],
)


async def test_a_bad_body_is_one_plain_line(api: Api) -> None:
    for body in BAD_SLICES:
        status, message, _ = await api.refused("POST", "/slices", body)
        assert status in {404, 422}, body
        assert len(message) <= 500
    assert await api("GET", "/slices") == []


async def test_a_body_that_is_no_json_or_too_long_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    broken = await api.client.post("/v1/slices", content=b"{", headers=headers)
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid")
    long = await api.client.post("/v1/slices", content=b" " * (2 << 20), headers=headers)
    assert (long.status_code, long.json()["code"]) == (507, "full")


async def test_what_is_not_part_of_the_api_is_not_found(api: Api) -> None:
    assert (await api.refused("GET", "/nothing"))[0] == 404
    assert (await api.refused("PATCH", "/slices"))[0] == 405
    assert (await api.refused("POST", "/slices/s1/applications/a/dance"))[0] == 404


async def test_a_deleted_slice_is_gone(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api("DELETE", "/slices/s1")
    assert (await api.refused("GET", "/slices/s1"))[0] == 404
    assert (await api.refused("DELETE", "/slices/s1"))[0] == 404
    await api("POST", "/slices", {"slice": "s1"})


async def test_the_last_events_can_be_read_and_filtered(
    api: Api, planner: Planner, start_node: StartNode
) -> None:
    await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    await planner_hears_order(planner)
    answer = await api.client.get("/v1/events?channel=/org/dsmt/ns/deployment/s1/")
    lines = answer.text.splitlines()
    assert json.loads(lines[0])["value"] == "CREATE,n1,s1"
    assert (await api.client.get("/v1/events?channel=/com/")).text == ""
    assert (await api.refused("GET", "/events?state=dancing"))[0] == 422
    assert (await api.refused("GET", "/events?channel=nonsense"))[0] == 422
    assert (await api.refused("GET", "/events?count=0"))[0] == 422


async def planner_hears_order(planner: Planner) -> None:
    async def heard() -> bool:
        return bool(planner.tap.recent(Filter(field="status"), 1))

    await until(heard)


async def test_an_upload_that_stops_before_its_end_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.api.packages.SILENCE_S", 0.05)
    await api("POST", "/slices", {"slice": "s1"})

    async def stalls() -> AsyncIterator[bytes]:
        yield b"rpm pinger 1.8-1"
        await asyncio.sleep(0.5)
        yield b""

    answer = await api.client.put("/v1/slices/s1/packages/pinger.rpm", content=stalls())
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline")
    assert await api("GET", "/slices/s1/packages") == []


async def test_a_long_body_that_announces_nothing_is_cut_off(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * (1 << 19)

    headers = {"Content-Type": "application/json"}
    answer = await api.client.post("/v1/slices", content=endless(), headers=headers)
    assert answer.status_code >= 400
    assert await api("GET", "/slices") == []


async def test_the_bytes_of_a_deleted_slice_leave_the_depot_unless_another_slice_has_them(
    api: Api, depot: FakeDepot
) -> None:
    for name in ("s1", "s2"):
        await api("POST", "/slices", {"slice": name})
        await api.put(name, "pinger.rpm", b"rpm pinger 1.8-1")
    await api.put("s1", "other.rpm", b"rpm other 1.8-1")
    assert len(depot.blobs) == 2
    await api("DELETE", "/slices/s1")
    assert list(depot.blobs.values()) == [b"rpm pinger 1.8-1"]
    await api("DELETE", "/slices/s2/packages/pinger.rpm")
    assert depot.blobs == {}


async def test_the_planners_own_access_to_the_broker_is_given_to_nobody(api: Api, planner: Planner) -> None:
    planner.config = replace(planner.config, operator_broker="")
    assert (await api.refused("GET", "/bus"))[0] == 503
    planner.nodes._config = replace(planner.config, node_broker="")
    token = (await api("POST", "/nodes/invite"))["token"]
    body = {"host": "n1", "token": token, "boot_id": "b", "claim": CLAIM}
    assert (await api.refused("POST", "/nodes/join", body))[0] == 503
