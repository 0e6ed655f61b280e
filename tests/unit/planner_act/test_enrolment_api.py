"""Nodes join by one-time tokens, and with a key of their own, which from then on is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.container_manager.own_key import OwnKey
from broker.certificates import Authority, key_of, life_of
from dsmt_core.authorities import certificates, fingerprint
from dsmt_core.enrolment import statement
from planner.config import PlannerConfig
from planner.service.planner import Planner
from planner.store import nodes
from planner.tls.clients import Clients
from tests.unit.planner_act.conftest import Api

CLAIM = "the claim of this node, long enough"


@pytest.fixture
def config(config: PlannerConfig) -> PlannerConfig:
    # Nodes that do not beat here must not be taken for failed: their names would be free.
    return replace(config, heartbeat=60.0)


async def said(api: Api, host: str, token: str = "", *, key: OwnKey | None = None, **more: str) -> Any:
    """What a node says when it joins; signed with ``key``."""
    body = {"host": host, "token": token, "boot_id": "b1", "claim": f"{CLAIM} {host}", **more}
    if key is not None:
        challenge = (await api("GET", f"/authority/challenge?host={host}"))["challenge"]
        signed = key.sign(statement(challenge, {**body, "key": key.public}))
        body |= {"key": key.public, "challenge": challenge, "signature": signed}
    return body


async def test_a_token_lets_in_as_many_nodes_as_it_is_for(api: Api) -> None:
    token = (await api("POST", "/nodes/invite", {"uses": 2}))["token"]
    for host in ("n1", "n2", "n1"):
        await api("POST", "/nodes/join", await said(api, host, token))
    refused = await api.refused("POST", "/nodes/join", await said(api, "n3", token))
    assert (refused[0], "as many nodes" in str(refused)) == (403, True), refused
    assert [one["host"] for one in await api("GET", "/nodes")] == ["n1", "n2"]


async def test_a_token_may_be_for_some_hosts_only(api: Api) -> None:
    token = (await api("POST", "/nodes/invite", {"uses": 1, "hosts": "a*"}))["token"]
    assert (await api.refused("POST", "/nodes/join", await said(api, "b1", token)))[0] == 403
    await api("POST", "/nodes/join", await said(api, "a1", token))
    for body in ({"uses": -1}, {"hosts": "A B"}):
        assert (await api.refused("POST", "/nodes/invite", body))[0] == 422


async def test_without_a_number_a_token_is_for_any_as_before(api: Api) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    for host in ("n1", "n2", "n3"):
        await api("POST", "/nodes/join", await said(api, host, token))


async def test_who_joined_with_a_key_is_asked_for_it(api: Api, tmp_path: Path) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key = OwnKey(tmp_path)
    # One of before has no key; it brings one at its next join, and from then on it counts.
    await api("POST", "/nodes/join", await said(api, "n1", token))
    await api("POST", "/nodes/join", await said(api, "n1", key=key))
    await api("POST", "/nodes/join", await said(api, "n1", key=key))
    bare = await api.refused("POST", "/nodes/join", await said(api, "n1"))
    assert (bare[0], "joined with a key, and now shows none" in str(bare)) == (403, True), bare
    (tmp_path / "other").mkdir()
    other = await api.refused("POST", "/nodes/join", await said(api, "n1", key=OwnKey(tmp_path / "other")))
    assert (other[0], "now shows another one" in str(other)) == (403, True), other
    # Even with an invitation: the holder of the name lives.
    assert (await api.refused("POST", "/nodes/join", await said(api, "n1", token)))[0] == 409
    await api("POST", "/nodes/join", await said(api, "n1", key=key))


async def test_a_join_is_good_once_for_one_host_and_unaltered(api: Api, tmp_path: Path) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key = OwnKey(tmp_path)
    once = await said(api, "n1", token, key=key)
    await api("POST", "/nodes/join", once)
    again = await api.refused("POST", "/nodes/join", once)
    assert (again[0], "answered already" in str(again)) == (403, True), again
    fresh = await said(api, "n1", key=key)
    for change in (
        {"host": "n2", "token": token},
        {"claim": CLAIM},
        {"boot_id": "b2"},
        {"signature": ""},
        {"challenge": fresh["challenge"] + " "},
        {"challenge": "of nobody"},
        {"challenge": ""},
    ):
        refused = await api.refused("POST", "/nodes/join", fresh | change)
        assert refused[0] == 403, (change, refused)
    await api("POST", "/nodes/join", fresh)


async def test_a_copied_machine_is_noticed_and_told(api: Api, tmp_path: Path) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key = OwnKey(tmp_path)
    for life in ("one", "one", "two", "two"):
        await api("POST", "/nodes/join", await said(api, "n1", token, key=key, boot_id=life))
    assert not await noticed(api)
    await api("POST", "/nodes/join", await said(api, "n1", key=key, boot_id="one"))
    assert [entry["about"] for entry in await noticed(api)] == ["node/n1"]


async def noticed(api: Api) -> list[Any]:
    return [entry for entry in await api("GET", "/audit") if entry["act"] == "node.copied"]


async def test_a_secret_is_not_given_for_a_claim_alone(api: Api, tmp_path: Path) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key = OwnKey(tmp_path)
    await api("POST", "/nodes/join", await said(api, "n1", token, key=key))
    wanted = {"host": "n1", "claim": f"{CLAIM} n1", "slice": "s1", "id": "i"}
    bare = await api.refused("POST", "/nodes/secret", wanted)
    challenge = (await api("GET", "/authority/challenge?host=n1"))["challenge"]
    signature = key.sign(statement(challenge, {**wanted, "key": key.public}))
    proof = {"key": key.public, "challenge": challenge, "signature": signature}
    other = await api.refused("POST", "/nodes/secret", {**wanted, **proof, "id": "j"})
    assert (bare[0], other[0], "signature" in str(other)) == (403, 403, True), (bare, other)


async def test_a_copy_is_noticed_by_whoever_reads_the_database_next(
    api: Api, planner: Planner, tmp_path: Path
) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key = OwnKey(tmp_path)
    for life in ("one", "two"):
        await api("POST", "/nodes/join", await said(api, "n1", token, key=key, boot_id=life))
    (kept,) = [one for one in await planner.database.read(nodes.listed) if one.host == "n1"]
    assert kept.lives == ("one", "two")
    assert (await api("GET", "/nodes/n1"))["copied_at"] == 0.0
    # As after a restart: nothing else is known.
    await planner.nodes.load()
    await api("POST", "/nodes/join", await said(api, "n1", key=key, boot_id="one"))
    await api("POST", "/nodes/join", await said(api, "n1", key=key, boot_id="two"))
    assert (await api("GET", "/nodes/n1"))["copied_at"] > 0
    # It is told once, not with each word of the two.
    assert len(await noticed(api)) == 1


async def test_the_right_one_of_two_takes_the_name_over(api: Api, tmp_path: Path) -> None:
    token = (await api("POST", "/nodes/invite"))["token"]
    key, other = OwnKey(tmp_path), OwnKey(tmp_path, "other.key")
    await api("POST", "/nodes/join", await said(api, "n1", token, key=key))
    assert (await api.refused("POST", "/nodes/invite", {"replaces": "n2"}))[0] == 404
    again = await api("POST", "/nodes/invite", {"replaces": "n1", "hosts": "*", "uses": 0})
    assert (again["uses"], again["hosts"], again["replaces"]) == (1, "n1", "n1")
    # Neither with what the copy has, too; nor without a key.
    for key_, claim in ((other, f"{CLAIM} n1"), (key, f"{CLAIM} anew"), (None, f"{CLAIM} anew")):
        body = await said(api, "n1", again["token"], key=key_, claim=claim)
        refused = await api.refused("POST", "/nodes/join", body)
        assert (refused[0], "shows the key or claim" in str(refused)) == (403, True), refused
    await api(
        "POST", "/nodes/join", await said(api, "n1", again["token"], key=other, claim=f"{CLAIM} anew")
    )
    # The copy is out, and the token is used.
    assert (await api.refused("POST", "/nodes/join", await said(api, "n1", key=key)))[0] == 403
    third = OwnKey(tmp_path, "third.key")
    used = await said(api, "n1", again["token"], key=third, claim=f"{CLAIM} third")
    assert (await api.refused("POST", "/nodes/join", used))[0] == 403
    await api("POST", "/nodes/join", await said(api, "n1", key=other, claim=f"{CLAIM} anew"))


async def test_certificates_are_given_to_who_asks_with_a_key(
    api: Api, planner: Planner, tmp_path: Path
) -> None:
    signer = Authority.made(datetime.now(UTC), "DSMT client authority")
    planner.nodes.certificates.clients = Clients(signer, tmp_path, planner.clock)
    assert (await api("GET", "/authority/challenge?host=n1"))["certifies"] is True
    token = (await api("POST", "/nodes/invite"))["token"]
    key, slivers = OwnKey(tmp_path), OwnKey(tmp_path, "slivers.key").public
    # One of before asks for none, and one without a key gets none.
    assert "certificate" not in await api("POST", "/nodes/join", await said(api, "n0", token))
    bare = await api("POST", "/nodes/join", await said(api, "n0", slivers_key=slivers))
    assert "certificate" not in bare
    asked = await said(api, "n1", token, key=key, slivers_key=slivers)
    altered = asked | {"slivers_key": OwnKey(tmp_path, "other.key").public}
    assert (await api.refused("POST", "/nodes/join", altered))[0] == 403
    given = await api("POST", "/nodes/join", asked)
    der = certificates(given["certificate"])[0]
    shown = (await api("GET", "/nodes/n1"))["certificate"]
    assert shown == {
        "fingerprint": fingerprint(der),
        "ends": pytest.approx(float(given["certificate_ends"]), abs=1),
    }
    life = life_of(given["certificate"].encode())
    assert (life.hosts, life.issuer) == (frozenset({"n1"}), key_of(signer.certificate))
    # Who has it is not given another one; who has lost it is.
    held = {"slivers_key": slivers, "certificate": shown["fingerprint"]}
    assert "certificate" not in await api("POST", "/nodes/join", await said(api, "n1", key=key, **held))
    lost = held | {"certificate": ""}
    assert "certificate" in await api("POST", "/nodes/join", await said(api, "n1", key=key, **lost))
    told = [one for one in await api("GET", "/audit") if one["act"] == "node.certify"]
    assert [one["about"] for one in told] == ["node/n1"] * 2
