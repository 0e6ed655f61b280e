"""Secrets: put, sealed at rest, named by configurations, handed to nobody but the slice's own nodes."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from dsmt_core.errors import Unavailable
from dsmt_core.names import Host, Slice
from planner.authority.sealing import Seal
from planner.rollout.releases import needed
from planner.service.planner import Planner
from planner.store.secrets import listed
from tests.unit.planner_act.conftest import Api, StartNode, until

SECRETS = "/slices/s1/secrets"
PATH = "/slices/s1/applications/pinger/configuration"
WORD = b"a very secret word"
ENCODED = base64.b64encode(WORD).decode()


@pytest.fixture
async def one(api: Api) -> Api:
    """A slice with an application and a secret."""
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "dsmtw_pinger-1.8-1.noarch.rpm", b"rpm dsmtw_pinger 1.8-1")
    await api("PUT", f"{SECRETS}/password", {"value": ENCODED})
    return api


async def test_it_is_listed_without_its_value_and_sealed_at_rest(one: Api, planner: Planner) -> None:
    [shown] = await one("GET", SECRETS)
    assert (shown["name"], shown["used_by"], shown["outdated_in"]) == ("password", [], [])
    assert set(shown) == {"name", "put_at", "put_by", "used_by", "outdated_in"}
    key = planner.config.secrets_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for path in planner.config.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert WORD not in content, path
            assert ENCODED.encode() not in content, path


async def test_a_configuration_names_it_and_another_content_is_another_configuration(one: Api) -> None:
    await one("POST", PATH, {"values": {"level": "3"}, "secrets": ["password"]})
    [shown] = await one("GET", SECRETS)
    assert (shown["used_by"], shown["outdated_in"]) == (["pinger"], [])
    found = await one("GET", PATH)
    told = (found["coming"] or found["configuration"])["password"]
    assert told.startswith("dsmt-secret:")
    assert WORD.decode() not in str(found)
    shown = await one("PUT", f"{SECRETS}/password", {"value": base64.b64encode(b"another").decode()})
    assert (shown["used_by"], shown["outdated_in"]) == (["pinger"], ["pinger"])
    status, message, hint = await one.refused("DELETE", f"{SECRETS}/password")
    assert (status, "in use by pinger" in message, "--unset password" in hint) == (409, True, True)


async def test_what_is_not_a_secret_is_refused_and_never_repeated(one: Api) -> None:
    for name, value, code in (
        ("password", "no base64!", 422),
        ("password", "", 422),
        ("Password", ENCODED, 422),
        ("password", base64.b64encode(bytes(66_000)).decode(), 507),
    ):
        status, message, _ = await one.refused("PUT", f"{SECRETS}/{name}", {"value": value})
        assert status == code
        assert not value or value not in message
    for body in ({"secrets": ["nothing"]}, {"values": {"a": "dsmt-secret:0"}}):
        status, _, _ = await one.refused("POST", PATH, body)
        assert status in {422, 404}
    both = {"values": {"password": "x"}, "secrets": ["password"]}
    assert (await one.refused("POST", PATH, both))[0] == 422
    assert (await one.refused("DELETE", f"{SECRETS}/nothing"))[0] == 404
    await one("DELETE", f"{SECRETS}/password")
    assert await one("GET", SECRETS) == []


async def test_only_a_node_of_the_slice_gets_it_by_its_claim(
    one: Api, anybody: Api, planner: Planner, start_node: StartNode
) -> None:
    for host in ("alpha", "beta"):
        await start_node(host)
    await one("PUT", "/slices/s1/plan", {"plan": "nodes", "parameters": {"list": "alpha"}})
    await one("POST", "/slices/s1/manage")

    async def placed() -> bool:
        return "alpha" in planner.ledger.wanted.slices[Slice("s1")].hosts

    await until(placed)
    await one("POST", PATH, {"secrets": ["password"]})
    configuration = await one("GET", PATH)
    told = (configuration["coming"] or configuration["configuration"])["password"]
    wanted = {"host": "alpha", "claim": "the claim of alpha.", "slice": "s1"}
    wanted["id"] = told.removeprefix("dsmt-secret:")

    async def needs() -> bool:
        return wanted["id"] in needed(planner.ledger.wanted.slices[Slice("s1")], Host("alpha"))

    await until(needs)
    assert await anybody("POST", "/nodes/secret", wanted) == {"value": ENCODED}
    claim = "the claim of beta."
    for wrong in ({"claim": claim}, {"host": "beta", "claim": claim}, {"host": "c"}, {"slice": "s2"}):
        status, message, _ = await anybody.refused("POST", "/nodes/secret", {**wanted, **wrong})
        assert (status, "does not have the slice" in message) == (403, True)
    # Contents that nothing there is to run with: unknown, used by nobody, of another slice.
    await one("PUT", f"{SECRETS}/unused", {"value": ENCODED})
    await one("POST", "/slices", {"slice": "s2"})
    await one("PUT", "/slices/s2/secrets/password", {"value": ENCODED})
    ids = [
        kept.id for name in map(Slice, ("s1", "s2")) for kept in await planner.database.read(listed, name)
    ]
    assert len(ids) == 3
    for id_ in ("0" * 32, *(id_ for id_ in ids if id_ != wanted["id"])):
        status, message, _ = await anybody.refused("POST", "/nodes/secret", {**wanted, "id": id_})
        assert (status, "nothing that is to run" in message) == (403, True)
    await one("POST", "/slices/s1/applications/pinger/stop")

    async def stopped() -> bool:
        return not needed(planner.ledger.wanted.slices[Slice("s1")], Host("alpha"))

    await until(stopped)
    assert (await anybody.refused("POST", "/nodes/secret", wanted))[0] == 403


def test_a_seal_opens_what_it_closed_and_nothing_else(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "key")
    closed = seal.close("s1/a", WORD)
    assert Seal(tmp_path / "key").open("s1/a", closed) == WORD
    with pytest.raises(Unavailable, match="another key"):
        seal.open("s1/b", closed)
    with pytest.raises(Unavailable, match="another key"):
        Seal(tmp_path / "other").open("s1/a", closed)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(Unavailable, match="readable by others"):
        Seal(tmp_path / "key").close("s1/a", WORD)
    (tmp_path / "torn").write_bytes(b"x")
    (tmp_path / "torn").chmod(0o600)
    with pytest.raises(Unavailable, match="cannot be used"):
        Seal(tmp_path / "torn").close("s1/a", WORD)
