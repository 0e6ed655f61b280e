"""Logging in with a key: its file, the agent that has it, a passphrase; a program's token; logging out."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsmtc.signing import sign
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_audit import planner
from tests.integration.dsmtc.test_real_planner import ADMIN, PASSWORD, PATIENCE_S

__all__ = ["planner"]


@pytest.fixture
def admin(tmp_path: Path, planner: str) -> Dsmtc:
    person = Dsmtc(tmp_path / "home", planner)
    (tmp_path / "home").mkdir()
    person.write_account(f"account: {ADMIN}\npassword: {PASSWORD}\nrole: admin\n")
    return person


@pytest.fixture
def person(tmp_path: Path, planner: str) -> Dsmtc:
    """The same without a password anywhere."""
    (tmp_path / "other").mkdir()
    return Dsmtc(tmp_path / "other", planner)


def made(folder: Path, passphrase: str = "") -> Path:
    key = folder / f"key{time.monotonic_ns()}"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "me", "-f", str(key)]
    subprocess.run(command, check=True)
    return key


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An agent of OpenSSH; the environment that names it."""
    place = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not place.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield {"SSH_AUTH_SOCK": str(place)}
        finally:
            process.terminate()


def test_a_key_lets_in_again_and_again_without_a_password(
    admin: Dsmtc, person: Dsmtc, tmp_path: Path
) -> None:
    key = made(tmp_path)
    assert admin("account", "keys", "add", str(key)).code == 3
    added = admin("account", "keys", "add", f"{key}.pub")
    assert "may log in with SHA256:" in added.out
    ended = person("login", "--user", ADMIN, "--key", str(key), "--role", "pi")
    assert (ended.code, ended.out) == (0, f"{ADMIN} [pi] at {person.url}\n")
    assert person("whoami", "--json").json["role"] == "pi"
    # Its token has ended: the key is remembered, and logs in by itself.
    assert person("whoami", "--user", ADMIN, "--role", "user", DSMT_KEY=str(key)).code == 0
    tokens = person.home / ".dsmt" / "tokens.json"
    assert PASSWORD not in tokens.read_text()
    shown = admin("account", "keys", "list", "--json").json
    fingerprint = next(one["fingerprint"] for one in shown if one["fingerprint"] in added.out)
    assert admin("account", "keys", "remove", fingerprint).code == 0
    assert admin("whoami").code == 0
    assert person("whoami").code == 4


def test_the_account_file_may_name_a_key(admin: Dsmtc, person: Dsmtc, tmp_path: Path) -> None:
    key = made(tmp_path)
    assert admin("account", "keys", "add", f"{key}.pub").code == 0
    person.write_account(f"account: {ADMIN}\nkey: {key}\nrole: user\n")
    assert person("whoami", "--json").json["role"] == "user"


def test_the_agent_signs_what_this_machine_has_no_file_of(
    admin: Dsmtc, person: Dsmtc, tmp_path: Path, agent: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = made(tmp_path)
    assert admin("account", "keys", "add", f"{key}.pub").code == 0
    monkeypatch.setenv("SSH_AUTH_SOCK", agent["SSH_AUTH_SOCK"])
    subprocess.run(["ssh-add", "-q", str(key)], check=True, env=os.environ | agent)
    key.unlink()
    assert person("login", "--user", ADMIN, "--key", f"{key}.pub").code == 0
    monkeypatch.delenv("SSH_AUTH_SOCK")
    ended = person("login", "--user", ADMIN, "--key", f"{key}.pub")
    assert (ended.code, len(ended.err.splitlines())) == (4, 2)


def test_a_passphrase_is_asked_for_by_openssh_alone(admin: Dsmtc, person: Dsmtc, tmp_path: Path) -> None:
    key = made(tmp_path, "a passphrase")
    assert admin("account", "keys", "add", f"{key}.pub").code == 0
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho a passphrase\n")
    ask.chmod(0o700)
    asked = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":9"}
    assert person.process("login", "--user", ADMIN, "--key", str(key), **asked).code == 0
    never = {"SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":9"}
    ended = person.process("login", "--user", ADMIN, "--key", str(key), **never)
    assert (ended.code, len(ended.err.splitlines())) == (4, 2)


def test_a_program_has_a_token(admin: Dsmtc, person: Dsmtc) -> None:
    token = admin("account", "token", "make", "backup", "--for", "1h", "--role", "user").out.strip()
    assert person("whoami", "--json", DSMT_TOKEN=token).json["role"] == "user"
    assert not (person.home / ".dsmt" / "tokens.json").exists()
    assert "backup" in admin("account", "token", "list").out
    assert token not in admin("account", "token", "list", "--json").out
    assert admin("account", "token", "revoke", "backup").code == 0
    ended = person("whoami", DSMT_TOKEN=token)
    assert (ended.code, len(ended.err.splitlines())) == (4, 2)


def test_who_logs_out_has_no_token_any_more(admin: Dsmtc, person: Dsmtc) -> None:
    assert person("login", "--user", ADMIN, "--role", "pi", DSMT_PASSWORD=PASSWORD).code == 0
    assert person("whoami").code == 0
    assert "is logged out" in person("logout").out
    assert person("whoami").code == 4
    assert "was not logged in" in person("logout", "--user", ADMIN).out


def test_what_is_no_challenge_is_not_signed(tmp_path: Path) -> None:
    key = made(tmp_path)
    for challenge in (
        "",
        "tree 123\nauthor me\n",
        "dsmt-login 1\naccount you@example.com\n",
        f"x\ndsmt-login 1\naccount {ADMIN}\n",
    ):
        with pytest.raises(Exception, match="not signed"):
            sign(str(key), ADMIN, challenge)
