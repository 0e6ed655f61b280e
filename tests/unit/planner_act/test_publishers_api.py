"""Whose packages a slice takes: who says so, what is refused then, what goes on, and what orders carry."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dsmt_core.commands import Verb
from dsmt_core.openssh import shown
from dsmt_core.publishers import Statement
from planner.service.planner import Planner
from tests.publisher import Publisher, statement
from tests.unit.planner_act.conftest import Api, FakeDepot, StartNode, until
from tests.unit.planner_act.test_guards_api import MEMBER, scaler
from tests.unit.planner_act.test_rounds import ordered

__all__ = ["scaler"]
OURS, THEIRS = Publisher("o"), Publisher("t")
PUBLISHERS = "/slices/s1/publishers"
OLD, NEW = b"rpm dsmtw_x 1-1", b"rpm dsmtw_x 2-1"
ROOT = b"rootfs tree 1"


def said(content: bytes) -> Statement:
    kind, name, version = content.decode().split()
    return statement(content, name, version, kind=kind)


async def sign(api: Api, filename: str, content: bytes, by: Publisher = OURS) -> dict[str, str]:
    body = {"signature": by.armoured(said(content).text)}
    answer: dict[str, str] = await api("PUT", f"/slices/s1/packages/{filename}/signature", body)
    return answer


@pytest.fixture
async def mine(api: Api) -> Api:
    """A slice with a publisher, and a package that is not signed."""
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "x-1.rpm", OLD)
    await api("PUT", f"{PUBLISHERS}/build", {"key": OURS.line})
    return api


async def test_a_slice_takes_anybodys_packages_until_somebody_is_named(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    told = await api("GET", PUBLISHERS)
    empty: dict[str, Any] = {"publishers": [], "unsigned": [], "rpm_keys": []}
    assert told == {"slice": "s1", "signed_only": False, **empty}
    await api.put("s1", "x-1.rpm", OLD)
    told = await api("PUT", f"{PUBLISHERS}/build", {"key": f"{OURS.line} me@home"})
    assert told["publishers"] == [{"name": "build", "key": OURS.line, "fingerprint": shown(OURS.key)}]
    assert (told["signed_only"], told["unsigned"]) == (True, [{"of": "x", "files": ["x-1.rpm"]}])
    assert (await api("GET", "/slices/s1"))["publishers"] == told["publishers"]
    told = await api("DELETE", f"{PUBLISHERS}/build")
    assert (told["signed_only"], told["publishers"]) == (True, [])
    assert (await api("DELETE", PUBLISHERS))["signed_only"] is False


async def test_what_is_no_key_or_no_name_is_refused(mine: Api) -> None:
    for key in ("", "garbage", "ssh-rsa AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"):
        assert (await mine.refused("PUT", f"{PUBLISHERS}/other", {"key": key}))[0] == 422
    assert (await mine.refused("PUT", f"{PUBLISHERS}/Über", {"key": OURS.line}))[0] == 422
    assert (await mine.refused("DELETE", f"{PUBLISHERS}/nobody"))[0] == 404
    for number in range(15):
        await mine("PUT", f"{PUBLISHERS}/p{number}", {"key": THEIRS.line})
    assert (await mine.refused("PUT", f"{PUBLISHERS}/p15", {"key": THEIRS.line}))[0] == 507


async def test_a_member_signs_but_does_not_say_whose_packages_count(api: Api, scaler: Api) -> None:
    await api("PUT", f"{PUBLISHERS}/build", {"key": OURS.line})
    for method, path in (
        ("PUT", f"{PUBLISHERS}/mine"),
        ("DELETE", f"{PUBLISHERS}/build"),
        ("DELETE", PUBLISHERS),
    ):
        body = {"key": THEIRS.line} if method == "PUT" else None
        status, message, _ = await scaler.refused(method, path, body)
        assert (status, "may not say whose packages this slice takes" in message) == (403, True)
    await scaler.put("s1", "x-1.rpm", OLD)
    assert (await sign(scaler, "x-1.rpm", OLD))["publisher"] == "build"
    signer = (await scaler("GET", "/slices/s1/packages"))[0]["signatures"][0]
    assert (signer["key"], signer["publisher"], signer["by"]) == (shown(OURS.key), "build", MEMBER)


async def test_a_member_runs_no_commands_where_packages_are_signed(api: Api, scaler: Api) -> None:
    await api.put("s1", "x-1.rpm", OLD)
    command, path = {"argv": ["true"], "at": "n1"}, "/slices/s1/applications/x/exec"
    assert (await scaler.refused("POST", path, command))[0] == 404
    await api("PUT", f"{PUBLISHERS}/build", {"key": OURS.line})
    status, message, hint = await scaler.refused("POST", path, command)
    assert (status, "which takes signed packages only" in message) == (403, True)
    assert "admin or pi" in hint
    # Whoever says whose packages count may: there is only no such node.
    assert (await api.refused("POST", path, command))[0] == 404


async def test_only_a_signature_of_this_very_package_is_kept(mine: Api) -> None:
    path = "/slices/s1/packages/x-1.rpm/signature"
    for text in ("", "garbage", OURS.armoured(said(OLD).text, "git"), "x" * 9000):
        assert (await mine.refused("PUT", path, {"signature": text}))[0] == 422
    status, message, _ = await mine.refused("PUT", path, {"signature": OURS.armoured(said(NEW).text)})
    assert (status, "this signature is not of x-1.rpm: rpm dsmtw_x 1-1 noarch" in message) == (403, True)
    assert (await mine.refused("PUT", "/slices/s1/packages/no.rpm/signature", {"signature": ""}))[0] == 404
    assert (await sign(mine, "x-1.rpm", OLD, THEIRS))["publisher"] == ""
    assert (await mine("GET", PUBLISHERS))["unsigned"]
    await sign(mine, "x-1.rpm", OLD)
    assert not (await mine("GET", PUBLISHERS))["unsigned"]
    for letter in "abcdef":
        await sign(mine, "x-1.rpm", OLD, Publisher(letter))
    more = {"signature": Publisher("g").armoured(said(OLD).text)}
    assert (await mine.refused("PUT", path, more))[0] == 507
    # The same key again takes nothing more.
    await sign(mine, "x-1.rpm", OLD)


async def test_a_depot_that_says_what_a_package_is_not_is_found(
    mine: Api, depot: FakeDepot, planner: Planner
) -> None:
    async def lies(request: httpx.Request) -> httpx.Response:
        """The publisher has the old version in his hand; the depot calls it the new one."""
        answer = await depot.answer(request)
        return httpx.Response(answer.status_code, content=answer.content.replace(b'"1-1"', b'"9-9"'))

    planner.depot.through(httpx.MockTransport(lies))
    assert (await mine.put("s1", "lied.rpm", OLD))["version"] == "9-9"
    body = {"signature": OURS.armoured(said(OLD).text)}
    status, message, _ = await mine.refused("PUT", "/slices/s1/packages/lied.rpm/signature", body)
    assert (status, "this signature is not of lied.rpm: rpm dsmtw_x 9-9" in message) == (403, True)


async def test_nothing_that_is_not_signed_is_begun(mine: Api, start_node: StartNode) -> None:
    await start_node("n1")
    status, message, hint = await mine.refused("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    assert status == 403
    assert message == "x-1.rpm is not signed, and the slice s1 wants packages signed by build"
    assert "dsmtc depot sign" in hint
    assert (await mine.refused("POST", "/slices/s1/applications/x/start", {}))[0] == 403
    await sign(mine, "x-1.rpm", OLD)
    await mine("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    await mine.put("s1", "x-2.rpm", NEW)
    for body in ({}, {"version": "2-1"}):
        status, message, _ = await mine.refused("POST", "/slices/s1/applications/x/update", body)
        assert (status, "x-2.rpm is not signed" in message) == (403, True)
    assert "x-2.rpm" in (await mine.refused("POST", "/slices/s1/rollouts/x", {"version": "2-1"}))[1]
    await sign(mine, "x-2.rpm", NEW)
    assert (await mine("POST", "/slices/s1/applications/x/update", {}))["changed"]


async def test_root_file_systems_are_packages_too(mine: Api) -> None:
    await mine.put("s1", "tree.tar", ROOT)
    assert (await mine.refused("PUT", "/slices/s1/limits", {"root": "tree.tar"}))[0] == 403
    await sign(mine, "tree.tar", ROOT)
    await mine("PUT", "/slices/s1/limits", {"root": "tree.tar"})
    await mine("DELETE", f"{PUBLISHERS}/build")
    assert "the sliver" in {one["of"] for one in (await mine("GET", PUBLISHERS))["unsigned"]}
    # Another limit is no new root file system.
    await mine("PUT", "/slices/s1/limits", {"memory": "100M"})


async def test_without_its_publisher_nothing_new_is_ordered_and_why_is_told(
    mine: Api, start_node: StartNode
) -> None:
    await sign(mine, "x-1.rpm", OLD)
    await mine("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    await mine("DELETE", f"{PUBLISHERS}/build")
    node = await start_node("n1")
    # The sliver is made: it needs no package. What is to run in it waits.
    order = await ordered(node, Verb.CREATE)
    node.slivers[order.slice] = order.generation
    await node.hold()
    status, message, _ = await mine.refused("POST", "/slices/s1/applications/x/start", {})
    assert (status, "takes no new packages: it has no publisher" in message) == (403, True)


async def test_who_says_so_is_in_the_audit_log(mine: Api) -> None:
    await sign(mine, "x-1.rpm", OLD)
    await mine("DELETE", f"{PUBLISHERS}/build")
    await mine("DELETE", PUBLISHERS)

    async def entered() -> bool:
        acts = {one["act"] for one in await mine("GET", "/audit?limit=50")}
        return {"slice.publisher", "slice.no_publisher", "slice.any_publisher", "package.sign"} <= acts

    await until(entered)
