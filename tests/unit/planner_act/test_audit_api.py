"""The audit log over the API: every act has its entry, and nothing happens without one."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Connection, text

from dsmt_core.audit import Chain, Entry, Head
from dsmt_core.errors import Conflict, Unavailable
from planner.api.app import ROUTERS
from planner.audit.words import ASKS_ONLY, word_of
from planner.service.planner import Planner
from planner.store import audit as store
from tests.unit.planner_act.conftest import Api, LogIn

SECRET = "what nobody may read"


async def entries(api: Api, **asked: Any) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return list(await api("GET", f"/audit?{query}"))


async def acts(api: Api, **asked: Any) -> list[tuple[str, str]]:
    return [(one["act"], one["outcome"].partition(":")[0]) for one in await entries(api, **asked)]


def test_every_request_that_changes_something_has_a_word() -> None:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in (route.methods or set()) - {"GET"}:
                word = word_of(method, route.path, {"verb": "x", "deed": "x"})
                assert " " not in word or f"{method} {route.path}" in ASKS_ONLY, word


async def test_what_is_asked_who_asks_and_what_changed_is_in_it(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1", "members": ["member@example.com"]})
    await api("PUT", "/slices/s1/plan", {"plan": "limit", "parameters": {"count": "3"}})
    made, planned = await entries(api, about="s1")
    assert (made["act"], made["about"], made["account"], made["role"]) == (
        "slice.make",
        "slice/s1",
        "me@example.com",
        "admin",
    )
    assert made["change"]["members"] == ["member@example.com"]
    assert planned["act"] == "slice.plan"
    assert planned["outcome"] == "done"
    assert planned["origin"] == "127.0.0.1"
    assert planned["change"]["is"]["plan"] == "limit"
    assert planned["change"]["was"]["plan"] == ""
    assert planned["before"] == made["digest"]


async def test_questions_and_previews_are_no_acts(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    before = await entries(api)
    await api("POST", "/slices/s1/plans/eval", {"plan": "all_nodes"})
    await api("GET", "/slices/s1")
    assert await entries(api) == before


async def test_no_secret_is_in_it(api: Api, planner: Planner) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/secrets/key", {"value": "c2VjcmV0IGNvbnRlbnQ="})
    await api("POST", "/accounts", {"account": "you@example.com", "password": SECRET})
    body = {"password": f"{SECRET} 2", "old_password": SECRET}
    await api("PUT", "/accounts/you@example.com/password", body)
    token = (await api("POST", "/nodes/invite"))["token"]
    join = {"host": "n1", "token": token, "boot_id": "b", "claim": "the claim of n1, secret"}
    await api("POST", "/nodes/join", join)
    kept = json.dumps(await entries(api))
    for secret in (SECRET, "c2VjcmV0", token, "the claim"):
        assert secret not in kept
    assert {"secret.put", "account.make", "account.password", "node.join", "login"} <= {
        act for act, _ in await acts(api)
    }


async def test_refused_acts_are_in_it(api: Api, log_in: LogIn) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api("POST", "/accounts", {"account": "you@example.com", "password": SECRET})
    you = await log_in("you@example.com", SECRET)
    status, _, _ = await you.refused("DELETE", "/slices/s1")
    assert status == 403
    [entry] = await entries(api, refused=True)
    assert (entry["act"], entry["account"], entry["about"]) == (
        "slice.delete",
        "you@example.com",
        "slice/s1",
    )
    assert "may not make or delete slices" in entry["outcome"]


async def test_a_flood_of_refusals_is_told_in_few_lines(api: Api, anybody: Api) -> None:
    for _ in range(50):
        await anybody.refused("POST", "/slices", {"slice": "s1"})
        await api.refused("DELETE", "/slices/none")
    told = await entries(api, refused=True, limit=1000)
    strangers = [one for one in told if not one["account"]]
    assert len(strangers) == 1
    assert 30 <= len(told) - len(strangers) < 45


async def test_an_act_that_cannot_be_entered_does_not_happen(api: Api, planner: Planner) -> None:
    def full(connection: Connection) -> None:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
            )
        )

    await planner.database.write(full)
    status, message, _ = await api.refused("POST", "/slices", {"slice": "s1"})
    assert status in {409, 503, 507}, message
    body = {"channel": "/com/example/x/", "field": "f", "value": "v"}
    assert (await api.refused("POST", "/events", body))[0] >= 400
    assert "s1" not in planner.ledger.wanted.slices
    await planner.database.write(lambda connection: connection.execute(text("DROP TRIGGER full")))
    assert (await api("POST", "/slices", {"slice": "s1"}))["slice"] == "s1"


async def test_what_happens_elsewhere_is_entered_before(api: Api) -> None:
    await api("POST", "/events", {"channel": "/com/example/x/", "field": "f", "value": SECRET})
    [entry] = await entries(api, act="event")
    assert entry["outcome"] == "begun"
    assert entry["about"] == "channel//com/example/x/"
    assert SECRET not in json.dumps(entry)


async def test_who_may_read_it(api: Api, log_in: LogIn, anybody: Api) -> None:
    for name in ("mine", "other"):
        await api("POST", "/slices", {"slice": name, "members": ["you@example.com"][: name == "mine"]})
    await api("PUT", "/accounts/you@example.com/password", {"password": SECRET})
    you = await log_in("you@example.com", SECRET)
    assert {one["slice"] for one in await entries(you)} == {"mine", ""}
    assert {one["account"] for one in await entries(you) if not one["slice"]} == {"you@example.com"}
    for path in ("/audit/verify", "/audit/export"):
        assert (await you.refused("GET", path))[0] == 403
    assert (await you.refused("POST", "/audit/prune", {"through": f"1:{'0' * 64}"}))[0] == 403
    assert (await anybody.refused("GET", "/audit"))[0] == 401


async def exported(api: Api) -> tuple[dict[str, Any], list[Entry]]:
    answer = await api.client.get("/v1/audit/export")
    head, *lines = map(json.loads, answer.text.splitlines())
    return head, [Entry.of(line) for line in lines]


async def test_an_export_can_be_verified_without_a_planner(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    head, kept = await exported(api)
    chain = Chain.after(Head.of(head["anchor"]))
    for entry in kept:
        chain.feed(entry)
    chain.end(Head.of(head["head"]))
    assert not chain.findings
    assert chain.count == len(kept) > 1


async def tampered(planner: Planner, *statements: str) -> None:
    """What somebody does who has the database and knows of the triggers."""

    def change(connection: Connection) -> None:
        for one in ("DROP TRIGGER audit_stays", "DROP TRIGGER audit_is_kept", *statements):
            connection.execute(text(one))

    await planner.database.write(change)


@pytest.mark.parametrize(
    ("statements", "finding"),
    [
        (["UPDATE audit SET account = 'else@example.com' WHERE number = 2"], "entry 2 was changed"),
        (["DELETE FROM audit WHERE number = 2"], "entry 2 is missing, removed"),
        (["DELETE FROM audit WHERE number > 3"], "the end was cut off"),
        (
            ["DELETE FROM audit WHERE number > 3", "DELETE FROM settings WHERE name = 'audit_head'"],
            "the end was cut off",
        ),
        (["DELETE FROM audit WHERE number < 3"], "entries 1 to 2 are missing"),
        (
            [
                "DELETE FROM audit WHERE number < 3",
                "INSERT INTO settings SELECT 'audit_anchor', '2:' || before FROM audit WHERE number = 3",
            ],
            "none says that it was pruned",
        ),
        (
            [
                "UPDATE audit SET number = 1000 WHERE number = 2",
                "UPDATE audit SET number = 2 WHERE number = 3",
                "UPDATE audit SET number = 3 WHERE number = 1000",
            ],
            "does not continue",
        ),
    ],
)
async def test_what_was_done_to_it_is_found(
    api: Api, planner: Planner, statements: list[str], finding: str
) -> None:
    for name in ("s1", "s2", "s3", "s4"):
        await api("POST", "/slices", {"slice": name})
    await planner.audit.close()
    assert (await api("GET", "/audit/verify"))["whole"]
    await tampered(planner, *statements)
    found = await api("GET", "/audit/verify")
    assert not found["whole"]
    assert any(finding in line for line in found["findings"]), found


async def test_a_log_that_was_computed_anew_is_found_by_what_others_remember(
    api: Api, planner: Planner
) -> None:
    for name in ("s1", "s2"):
        await api("POST", "/slices", {"slice": name})
    _, kept = await exported(api)

    def anew(connection: Connection) -> None:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("DELETE FROM settings WHERE name = 'audit_head'"))
        for entry in kept[:1] + kept[2:]:
            store.append(connection, entry)
        store.append(connection, kept[1])

    await tampered(planner)
    await planner.database.write(anew)
    planner.config.audit_heads.unlink(missing_ok=True)
    assert (await api("GET", "/audit/verify"))["whole"]
    found = await api("GET", f"/audit/verify?head={kept[-1].head}")
    assert any("written anew" in line for line in found["findings"])


async def test_the_database_refuses_to_change_or_remove_entries(api: Api, planner: Planner) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    for statement in ("UPDATE audit SET account = 'x'", "DELETE FROM audit"):
        change = partial(_carried_out, statement=statement)
        with pytest.raises((Conflict, Unavailable), match="the audit log is not"):
            await planner.database.write(change)


def _carried_out(connection: Connection, *, statement: str) -> None:
    connection.execute(text(statement))


async def test_what_was_exported_may_go_and_the_rest_is_whole(api: Api, planner: Planner) -> None:
    for name in ("s1", "s2", "s3"):
        await api("POST", "/slices", {"slice": name})
    _, kept = await exported(api)
    wrong = f"{kept[1].number}:{'0' * 64}"
    assert (await api.refused("POST", "/audit/prune", {"through": wrong}))[0] == 409
    assert (await api.refused("POST", "/audit/prune", {"through": f"99:{'0' * 64}"}))[0] == 404
    pruned = await api("POST", "/audit/prune", {"through": str(kept[1].head)})
    assert pruned == {"removed": 2, "anchor": str(kept[1].head)}
    found = await api("GET", "/audit/verify")
    assert found["whole"], found
    assert found["anchor"] == str(kept[1].head)
    head, left = await exported(api)
    assert left[0].number == 3
    chain = Chain.after(Head.of(head["anchor"]))
    for entry in left:
        chain.feed(entry)
    chain.end()
    assert not chain.findings


async def test_heads_are_kept_beside_the_database(api: Api, planner: Planner, tmp_path: Path) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await planner.audit.close()
    file = planner.config.audit_heads
    assert file.stat().st_mode & 0o777 == 0o600
    last = (await entries(api))[-1]
    assert file.read_text().splitlines()[-1] == f"{last['number']}:{last['digest']}"


async def test_wrong_passwords_are_told_once_and_a_token_goes_on(api: Api, anybody: Api) -> None:
    wrong = {"account": "me@example.com", "password": "wrong password"}
    hints = {(await anybody.refused("POST", "/login", wrong))[2] for _ in range(30)}
    assert any("wait" in hint for hint in hints)
    told = await acts(api, about="me@example.com", limit=1000)
    assert told.count(("login", "refused")) == 1
    assert told.count(("login.lock_out", "done")) == 1
    assert "wrong password" not in json.dumps(await entries(api, act="login"))
