"""``dsmtc`` against a planner that runs, with its depot and a bus in its memory: the guide's transcript."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsmtc.client import Client, Credentials
from tests.integration.dsmtc.conftest import Dsmtc

ADMIN, PASSWORD = "admin@example.com", "admin-password"
USER, USER_PASSWORD = "me@example.com", "user-password"
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Planner:
    """A planner that runs."""

    url: str
    pid: int


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    folder = tmp_path_factory.mktemp("planner")
    words = [sys.executable, "-m", "planner.main"]
    data = ["--data", str(folder / "data")]
    environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
    subprocess.run(
        [*words, "init", *data, "--admin", ADMIN], env=environment, check=True, timeout=PATIENCE_S
    )
    ready = folder / "ready.json"
    listen = ["--listen", "127.0.0.1:0", "--ready-file", str(ready)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*words, "run", *data, "--broker", "memory://planner@dsmtc-test", *listen],
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield Planner(_url(ready, process), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0


def _url(ready: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return str(json.loads(ready.read_text())["url"])


@pytest.fixture
def me(planner: Planner, tmp_path: Path, request: pytest.FixtureRequest) -> Dsmtc:
    """A user with an account file; no slice yet."""
    name = f"user{abs(hash(request.node.name)) % 10_000_000}@example.com"
    with Client(planner.url, Credentials(ADMIN, PASSWORD, "admin")) as admin:
        admin.add_account(name, USER_PASSWORD, "user")
    person = Dsmtc(tmp_path, planner.url)
    person.write_account(f"account: {name}\npassword: {USER_PASSWORD}\nrole: user\n")
    return person


def create(me: Dsmtc, slice_: str) -> None:
    """The pi makes a slice for the user, in the guide's words."""
    user = me("whoami", "--json").json["account"]
    words = ["create", "--user", ADMIN, "--password", PASSWORD, "--role", "PI", "--user", user]
    ended = me(*words, "--slice", slice_)
    assert ended.code == 0, ended


def test_the_guides_transcript_reads_word_by_word(me: Dsmtc) -> None:
    create(me, "guide")
    for line, told in (
        ("manage -slice guide", "managed already"),
        ("setagent --agent deployment-agent", "agent deployment-agent"),
        ("plan set --plan goodNodes --base minus left=all_nodes right=failed", "goodNodes = minus"),
        ("plan set --plan only10 --base limit parent=goodNodes count=10", "only10 = limit"),
        ("setplan --plan only10", "plan only10"),
        ("status", "10 wanted, 0 running"),
        ("plan set --plan first10 --base limit count=10", "first10 = limit"),
        ("plan set --plan myFailed --base failed", "myFailed = failed"),
        ("setplan --plan all_nodes", "plan all_nodes"),
    ):
        ended = me.process(*line.split())
        assert (ended.code, ended.err) == (0, ""), (line, ended)
        assert told in ended.out, (line, ended)


def test_the_planners_refusals_have_their_exit_codes(me: Dsmtc) -> None:
    create(me, "refusals")
    assert me(*["plan", "set", "--plan", "a", "--base", "all_nodes"]).code == 0
    assert me(*["plan", "set", "--plan", "b", "--base", "minus", "left=a", "right=failed"]).code == 0
    for line, code in (
        ("setplan --plan unknown", 3),
        ("plan set --plan c --base nonsense", 3),
        ("plan set --plan c --base limit count=0", 3),
        ("plan set --plan a --base minus left=b right=failed", 6),
        ("plan delete --plan a", 6),
        ("setagent --agent nobody", 3),
        ("nodes invite", 4),
        ("nodes show nowhere", 3),
        ("status --slice nowhere", 3),
        ("events --state nonsense", 3),
        ("events --channel nonsense", 3),
        ("restart nothing", 3),
        ("account add you@example.com", 4),
        ("whoami --role pi", 4),
        ("whoami --password wrong", 4),
    ):
        ended = me(*line.split(), DSMT_NEW_PASSWORD="new-password")
        assert ended.code == code, (line, ended)
        assert ended.err.startswith("dsmtc: "), ended
        assert "Traceback" not in ended.err
        assert ended.out == ""


def test_a_password_is_changed_with_the_old_one(me: Dsmtc) -> None:
    account = me("whoami", "--json").json["account"]
    assert me("account", "passwd", DSMT_NEW_PASSWORD="another-password").code == 0
    assert me("whoami").code == 4
    me.write_account(f"account: {account}\npassword: another-password\nrole: user\n")
    assert me("whoami").code == 0


def test_a_file_that_is_no_package_is_refused_and_nothing_is_kept(me: Dsmtc, tmp_path: Path) -> None:
    create(me, "packages")
    wrong = tmp_path / "wrong-1.0-1.noarch.rpm"
    wrong.write_bytes(b"no package at all")
    ended = me("depot", "put", str(wrong))
    assert ended.code == 3
    assert "not a package" in ended.err
    assert me("depot", "list", "--json").json == []


def test_what_a_user_may_not_do_an_admin_may(me: Dsmtc) -> None:
    admin = ("--user", ADMIN, "--password", PASSWORD, "--role", "admin")
    assert me("nodes", "invite", *admin, "--json").json["token"]
    listed = me("account", "list", *admin, "--json").json
    assert ADMIN in {each["account"] for each in listed}
    create(me, "doomed")
    assert me("delete", "--slice", "doomed").code == 2
    assert me("delete", "--slice", "doomed", "--yes", *admin).code == 0


def test_a_followed_stream_waits_and_its_time_limit_has_a_code(me: Dsmtc) -> None:
    ended = me("events", "--follow", "--timeout", "0.5")
    assert (ended.code, ended.out) == (7, "")
    assert ended.err == "dsmtc: nothing more came in time\n"


def test_a_watch_ends_in_time_and_says_what_was_missing(me: Dsmtc, planner: Planner) -> None:
    create(me, "watched")
    ended = me("status", "--watch", "--until-running", "1", "--timeout", "1.2")
    assert ended.code == 7
    assert "dsmtc: not 1 running within 1.2 s" in ended.err
    assert "no plan" in ended.out
