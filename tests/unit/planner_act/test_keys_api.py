"""Logging in with a key, with real signatures of OpenSSH; and tokens of programs."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from planner.authority import challenges, sessions
from planner.authority.challenges import Challenges
from planner.authority.ssh_signatures import public_key, verify
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import ADMIN, Api, LogIn

KINDS = {
    "ed25519": ["-t", "ed25519"],
    "ecdsa": ["-t", "ecdsa", "-b", "256"],
    "ecdsa521": ["-t", "ecdsa", "-b", "521"],
    "rsa": ["-t", "rsa", "-b", "2048"],
}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name, words in {**KINDS, "other": KINDS["ed25519"], "small": ["-t", "rsa", "-b", "1024"]}.items():
        file = str(folder / name)
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", f"{name}@home", "-f", file, *words], check=True)
    return {file.stem: file for file in folder.glob("*.pub")}


def sign(key: Path, message: str, namespace: str = "dsmt-login", *options: str) -> str:
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key.with_suffix("")), *options]
    return subprocess.run(command, input=message, capture_output=True, text=True, check=True).stdout


def shown(key: Path) -> str:
    command = ["ssh-keygen", "-lf", str(key)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def challenge_for(anybody: Api, account: str = ADMIN) -> str:
    return str((await anybody("POST", "/login/challenge", {"account": account}))["challenge"])


def answer(challenge: str, signature: str, account: str = ADMIN, **more: Any) -> dict[str, Any]:
    return {"account": account, "challenge": challenge, "signature": signature, **more}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_of_each_kind_lets_in(api: Api, anybody: Api, keys: dict[str, Path], kind: str) -> None:
    added = await api("POST", f"/accounts/{ADMIN}/keys", {"key": keys[kind].read_text()})
    assert added["comment"] == f"{kind}@home"
    assert added["fingerprint"] in shown(keys[kind])
    challenge = await challenge_for(anybody)
    session = await anybody("POST", "/login/key", answer(challenge, sign(keys[kind], challenge), role="pi"))
    assert (session["account"], session["role"]) == (ADMIN, "pi")
    anybody.client.headers["Authorization"] = f"Bearer {session['token']}"
    assert (await anybody("GET", "/whoami"))["role"] == "pi"
    [entry] = await api("GET", "/audit?act=login&limit=1")
    assert entry["change"]["by"] == f"key {added['id']}"
    assert "signature" not in str(entry["change"]).replace("'signature': '(left out)'", "")


async def test_what_is_not_the_right_answer_is_refused(
    api: Api, anybody: Api, keys: dict[str, Path]
) -> None:
    await api("POST", f"/accounts/{ADMIN}/keys", {"key": keys["ed25519"].read_text()})
    await api("POST", "/accounts", {"account": "you@example.com"})
    challenge = await challenge_for(anybody)
    right = sign(keys["ed25519"], challenge)
    theirs = await challenge_for(anybody, "you@example.com")
    wrong = [
        answer(challenge, sign(keys["other"], challenge)),
        answer(challenge, sign(keys["ed25519"], challenge, "file")),
        answer(challenge, sign(keys["ed25519"], challenge + " ")),
        answer(challenge + "x", sign(keys["ed25519"], challenge + "x")),
        answer(theirs, sign(keys["ed25519"], theirs)),
        answer(theirs, sign(keys["ed25519"], theirs), "you@example.com"),
        answer(challenge, right, "nobody@example.com"),
        answer("", ""),
        answer(challenge, "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----"),
        answer(challenge, right.replace("A", "B", 3)),
    ]
    for one in wrong:
        status, message, _ = await anybody.refused("POST", "/login/key", one)
        assert status in {401, 403, 422}, message
    assert (await anybody("POST", "/login/key", answer(challenge, right)))["account"] == ADMIN


async def test_a_challenge_is_good_once_and_for_a_minute(
    api: Api, anybody: Api, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    await api("POST", f"/accounts/{ADMIN}/keys", {"key": keys["ed25519"].read_text()})
    challenge = await challenge_for(anybody)
    body = answer(challenge, sign(keys["ed25519"], challenge))
    await anybody("POST", "/login/key", body)
    status, message, _ = await anybody.refused("POST", "/login/key", body)
    assert (status, "was answered already" in message) == (401, True)
    monkeypatch.setattr(challenges, "LASTS_S", -1.0)
    old = await challenge_for(anybody)
    status, message, _ = await anybody.refused(
        "POST", "/login/key", answer(old, sign(keys["ed25519"], old))
    )
    assert (status, "is too old" in message) == (401, True)


def test_a_challenge_of_another_installation_is_none_of_ours(keys: dict[str, Path]) -> None:
    made, _ = Challenges("one", b"s").make(ADMIN, now=0, nonce="n")
    for other in (Challenges("one", b"t"), Challenges("two", b"s")):
        if made != other.make(ADMIN, now=0, nonce="n")[0]:
            with pytest.raises(Exception, match="none of this planner"):
                Challenges("two", b"t").check(made, ADMIN, now=0)
    assert verify(public_key(keys["rsa"].read_text()), sign(keys["rsa"], made), made.encode(), "dsmt-login")


async def test_keys_are_listed_and_removed_and_what_is_none_is_refused(
    api: Api, anybody: Api, log_in: LogIn, keys: dict[str, Path]
) -> None:
    path = f"/accounts/{ADMIN}/keys"
    added = await api("POST", path, {"key": keys["ed25519"].read_text()})
    assert (await api.refused("POST", path, {"key": keys["ed25519"].read_text()}))[0] == 409
    assert await api("GET", path) == [added]
    for key in (
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        keys["small"].read_text(),
        keys["ed25519"].with_suffix("").read_text(),
        keys["ed25519"].read_text() * 2,
        "x" * 5000,
    ):
        status, _, hint = await api.refused("POST", path, {"key": key})
        assert (status, bool(hint)) == (422, True)
    await api("POST", "/accounts", {"account": "you@example.com", "password": "long secret"})
    you = await log_in("you@example.com", "long secret")
    for method, where in (("GET", path), ("POST", path), ("DELETE", f"{path}/{added['id']}")):
        body = {"key": keys["other"].read_text()} if method == "POST" else None
        assert (await you.refused(method, where, body))[0] == 403
    assert (await api.refused("DELETE", f"{path}/00000000"))[0] == 404
    await api("DELETE", f"{path}/{added['id'][:12]}")
    # The login may have come by it.
    assert (await api.refused("GET", path))[0] == 401


async def test_a_programs_token_acts_and_makes_no_other_ways_in(
    api: Api, anybody: Api, keys: dict[str, Path]
) -> None:
    path = f"/accounts/{ADMIN}/tokens"
    made = await api("POST", path, {"name": "backup", "role": "pi", "lasts_s": 3600})
    assert (made["role"], made["name"]) == ("pi", "backup")
    assert (await api.refused("POST", path, {"name": "backup"}))[0] == 409
    for bad in ({"name": ""}, {"name": "a b"}, {"name": "x", "lasts_s": 0}, {"name": "x", "lasts_s": 1e9}):
        assert (await api.refused("POST", path, bad))[0] == 422
    assert (await api.refused("POST", path, {"name": "x", "role": "tech"}))[0] == 403
    [listed] = await api("GET", path)
    assert "token" not in listed
    anybody.client.headers["Authorization"] = f"Bearer {made['token']}"
    await anybody("POST", "/slices", {"slice": "s1"})
    [entry] = await api("GET", "/audit?about=s1")
    assert entry["change"]["with"] == "the token backup"
    for where, body in (
        (path, {"name": "y"}),
        (f"/accounts/{ADMIN}/keys", {"key": keys["other"].read_text()}),
    ):
        assert (await anybody.refused("POST", where, body))[0] == 403
    secret = {"password": "another secret", "old_password": "a long secret"}
    assert (await anybody.refused("PUT", f"/accounts/{ADMIN}/password", secret))[0] == 403
    await api("DELETE", f"{path}/backup")
    assert (await anybody.refused("GET", "/whoami"))[0] == 401
    assert (await api.refused("DELETE", f"{path}/backup"))[0] == 404
    assert made["token"] not in str(await api("GET", "/audit?limit=1000"))


async def test_a_login_ends_when_idle_and_goes_on_by_use(
    api: Api, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.time()
    now = [began]
    monkeypatch.setattr(planner.gate.sessions, "_now", lambda: now[0])
    for minutes in range(0, 12 * 60 - 5, 40):
        now[0] = began + minutes * 60
        await api("GET", "/whoami")
    now[0] = began + sessions.RENEWED_S + 60
    assert (await api.refused("GET", "/whoami"))[0] == 401


async def test_an_idle_login_ends(api: Api, planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + sessions.TOKEN_S + 60
    monkeypatch.setattr(planner.gate.sessions, "_now", lambda: later)
    assert (await api.refused("GET", "/whoami"))[0] == 401


async def test_who_logs_out_is_out(api: Api, log_in: LogIn) -> None:
    other = await log_in()
    assert await api("POST", "/logout") == {"ended": True}
    assert (await api.refused("GET", "/whoami"))[0] == 401
    assert (await other("GET", "/whoami"))["account"] == ADMIN
