"""``dsmtc`` against a planner that runs, with its depot and a bus in its memory: the guide's transcript."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import dsmtc.client
from dsmt_core.errors import Conflict, DeadlinePassed, Invalid, NotFound, Unavailable, Undone
from dsmt_core.wire import XML, decode
from dsmtc.client import Client, Credentials
from dsmtc.failures import report
from dsmtc.verbs import module_of, names
from tests.examples import example
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.cutting import breaking

ADMIN, PASSWORD = "admin@example.com", "admin-password"
USER, USER_PASSWORD = "me@example.com", "user-password"
PATIENCE_S = 120.0


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
    given = ["--operator-broker", "amqp://operator:secret@127.0.0.1/dsmt", "--event-bytes", "2097152"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*words, "run", *data, "--broker", "memory://planner@dsmtc-test", *given, *listen],
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


# What is a program of its own, wants a terminal, asks for a password, or ends the login of the others.
NOT_RUN = {"dev", "swarm", "shell", "top", "login", "logout", "account passwd", "delete"}
# What goes on and on.
ENDLESS = {"--follow", "--watch", "-f", "--wait", "--until-running", "--password"}
# Here are no nodes, no packages: what needs one is not found, or is not there in time.
FILE = re.compile(r"[\w.-]+\.(rpm|deb|whl|tgz|txt|json|jsonl|toml|xml|pub|tar|conf|template|pem)$")
NOT_HERE = (NotFound, Conflict, DeadlinePassed, Unavailable, Undone)


def examples() -> list[str]:
    """Every example in the help of every verb, but for those that cannot be run beside the others."""
    found: list[str] = []
    for verb in names():
        command: Any = get_command(importlib.import_module(module_of(verb)).app)
        whole = [getattr(command, "commands", {}).get(verb, command)]
        for each in whole:
            whole += list(getattr(each, "commands", {}).values())
            found += re.findall(r"Example: dsmtc (.+?)(?=\n\s*\n|\Z)", each.help or "", re.DOTALL)
    lines = dict.fromkeys(" ".join(each.split()) for each in found)
    alone = [line for line in lines if not any(f"{line} ".startswith(f"{each} ") for each in NOT_RUN)]
    return [line for line in alone if not ENDLESS & set(line.split())]


def test_every_example_of_the_help_is_understood(
    me: Dsmtc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failures: list[BaseException] = []

    def reported(error: BaseException, *, verbose: int) -> int:
        failures.append(error)
        return report(error, verbose=verbose)

    monkeypatch.setattr("dsmtc.failures.report", reported)
    admin = {"DSMT_ACCOUNT": ADMIN, "DSMT_PASSWORD": PASSWORD, "DSMT_NEW_PASSWORD": "a long secret"}
    for name in ("my_slice", "SLICENAME"):
        assert me("create", "--slice", name, **admin).code == 0
    wrong = []
    for line in examples():
        words = shlex.split(line)
        files = [word.rpartition("=")[2].lstrip("@") for word in words if FILE.search(word)]
        for file in (one for one in files if "/" not in one):
            (tmp_path / file).write_text("nothing of what it should be")
        ended = me(*words, DSMT_SLICE="my_slice", **admin)
        expected = (*NOT_HERE, Invalid) if files else NOT_HERE
        if any(not isinstance(error, expected) for error in failures):
            wrong.append((line, ended.code, ended.err))
        failures.clear()
    assert not wrong


def test_the_example_of_the_sdk_runs(
    planner: Planner, me: Dsmtc, capsys: pytest.CaptureFixture[str]
) -> None:
    create(me, "reported")
    report_ = example(".", "fleet_report")
    with Client(planner.url, Credentials(ADMIN, PASSWORD, "admin")) as admin:
        lines = report_.report(admin)
    assert any(line.startswith("reported: 0 of 0 run") for line in lines)


def test_the_example_in_the_docstring_of_the_sdk_runs(
    planner: Planner, me: Dsmtc, capsys: pytest.CaptureFixture[str]
) -> None:
    create(me, "documented")
    text = inspect.cleandoc((dsmtc.client.__doc__ or "").partition("\n")[2])
    text = text.replace("http://127.0.0.1:7080", planner.url).replace("me@example.com", ADMIN)
    text = text.replace("my_slice", "documented")
    exec(text.replace('"secret"', repr(PASSWORD)), {})  # noqa: S102 - our own docstring
    assert capsys.readouterr().out == "0\n"


def test_the_doctor_finds_nothing_wrong(me: Dsmtc) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        said = {one["what"]: one["state"] for one in me("doctor", "--json").json}
        # On a machine that is very busy the depot may take longer to answer than it may.
        if said["depot"] == "well" or time.monotonic() > deadline:
            break
    # Of a machine that is busy or full, and of a planner without nodes, it may have doubts.
    doubts = [said.pop(name) for name in ("nodes", "disk", "rounds", "disk here")]
    assert "ill" not in doubts
    assert set(said) == {"packages", "planner", "version", "TLS", "login", "clock", "broker", "depot"} | {
        *("versions", "clocks", "disks")
    }
    assert set(said.values()) == {"well"}, said


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


def test_logs_and_commands_that_cannot_be_are_one_plain_line(me: Dsmtc) -> None:
    create(me, "looked")
    folder = me.home / "pinger-1.0"
    folder.mkdir()
    archive = me.home / "pinger-1.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("pinger-1.0/start.sh")
        info.mode = 0o755
        tar.addfile(info, io.BytesIO(b""))
    put = me("depot", "put", str(archive))
    assert put.code == 0, put
    for words, code, said in (
        (("logs",), 3, "pinger of looked is not placed anywhere"),
        (("logs", "-f", "--since", "999999999d"), 3, "is not placed anywhere"),
        (("logs", "-f", "all_nodes", "-n", "99999"), 3, "99999 lines"),
        (("logs", "-f", "-n", "-1"), 3, "-1 lines"),
        (("logs", "-f", "--since", "nan"), 2, "'nan' is no length of time"),
        (("logs", "-f", "--since", "-5"), 2, "'-5' is no length of time"),
        (("logs", "--since", " "), 2, "' ' is no length of time"),
        (("logs", "--since", "9" * 400), 2, "is no length of time"),
        (("logs", "a/../b"), 3, "'a/../b' is neither a node nor a plan of looked"),
        (("logs", "a\n\x1b[2J"), 3, r"'a\n\x1b[2J' is neither a node nor a plan"),
        (("logs", "\udcff"), 3, r"'\udcff' is not UTF-8"),
        (("logs", "-a", "no"), 3, "the slice looked has no application no"),
        (("logs", "-a", "../x"), 3, "'../x' is not a name"),
        (("exec", "n1"), 2, "there is no command"),
        (("exec", "n1", "--", ""), 3, "there is no command"),
        (("exec", "n1", "--", "true"), 3, "'n1' is neither a node nor a plan of looked"),
        (("exec", "all_nodes", "--", "true"), 3, "is not placed on all_nodes"),
        (("exec", "n1", "--timeout", "9h", "--", "true"), 3, "a time limit of 32400 s"),
        (("exec", "n1", "--timeout", "inf", "--", "true"), 2, "'inf' is no length of time"),
        (("exec", "n1", "--", *["x"] * 300), 3, "at most 256 items"),
        (("exec", "n1", "--", "x" * 100_000), 3, "at most 65536 characters"),
        (("exec", "n1", "--", "a\udcff"), 3, "unable to parse raw data as a unicode string"),
        (("exec", "x" * 70_000, "--", "true"), 3, "at most 1024 characters"),
    ):
        ended = me(*words)
        assert (ended.code, ended.out, said in ended.err) == (code, "", True), (words[:4], ended)
        assert len(ended.err.splitlines()) <= 2


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
        ("setagent --agent nobody", 4),
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


def test_how_large_an_event_may_be_is_in_the_url_that_programs_are_given(me: Dsmtc) -> None:
    admin = ("--user", ADMIN, "--password", PASSWORD, "--role", "admin")
    assert me("broker", *admin).out == "amqp://operator:secret@127.0.0.1/dsmt?event_bytes=2097152\n"


def test_a_followed_stream_waits_and_its_time_limit_has_a_code(me: Dsmtc) -> None:
    # Where nobody speaks: the planner may say something at any time.
    ended = me("events", "--channel", "/com/example/nobody/", "--follow", "--timeout", "0.5")
    assert (ended.code, ended.out) == (7, "")
    assert ended.err == "dsmtc: nothing more came in time\n"


def archive(folder: Path, version: str) -> str:
    """A package of the application demo, as small as one can be."""
    path = folder / f"demo-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        script = tarfile.TarInfo(f"demo-{version}/start.sh")
        script.mode = 0o755
        packed.addfile(script)
    return str(path)


def test_configurations_and_updates_are_foreseen_and_rolled_out(me: Dsmtc, tmp_path: Path) -> None:
    create(me, "configured")
    for version in ("1.0", "2.0"):
        assert me("depot", "put", archive(tmp_path, version)).code == 0
    assert me("configure").out == "demo 1.0 has no configuration\n"
    chosen = tmp_path / "demo.toml"
    chosen.write_text('greeting = "hello"\nlevel = 3\n')
    asked = ("configure", "demo", "--file", str(chosen), "--waves", "1,100%")
    looked = me(*asked, "--dry-run")
    assert (looked.code, looked.err) == (1, "")
    assert "  greeting is hello\n  level is 3\nwave 1 (up to 0): nobody more\n" in looked.out
    index = looked.out.split()[-1]
    assert me(*asked, "--check-index", "00ab").code == 6
    assert me(*asked, "--dry-run", "--check-index", "00ab").code == 255
    rolled = me(*asked, "--check-index", index, "--follow", "--timeout", "60s")
    assert rolled.code == 0, rolled
    assert me("configure", "--json").json["configuration"] == {"greeting": "hello", "level": "3"}
    assert "changes: greeting is hello" in me("rollout", "status").out
    assert "greeting is hello; level is 3" in me("rollout", "history").out
    assert me("configure", "level=3", "--dry-run").code == 0, "nothing to do"
    assert me("configure", "level=3").code == 0, "and no error"
    assert me("configure", "--unset", "nothing").code == 3
    assert me("configure", "Level=3", "--dry-run").code == 255
    updated = me("update", "--dry-run")
    assert (updated.code, "version 1.0 becomes 2.0" in updated.out) == (1, True)
    assert me("update", "--check-index", updated.out.split()[-1]).code == 0
    assert me("update", "--dry-run").code == 0
    assert me("rollout", "start", "--dry-run").code == 0
    assert me("configure", "--json").json["version"] == "2.0"


def test_an_upload_goes_on_where_the_line_broke(
    me: Dsmtc, planner: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A planner that is busy knows what has come of the torn one a moment later.
    monkeypatch.setattr("dsmtc.client.sending._WAIT_S", 5.0)
    create(me, "resumed")
    path = tmp_path / "large-1.0.tar"
    with tarfile.open(path, "w") as packed:
        for name, content in (("start.sh", b"#!/bin/sh"), ("data", os.urandom(12 << 20))):
            member = tarfile.TarInfo(f"large-1.0/{name}")
            member.mode, member.size = 0o755, len(content)
            packed.addfile(member, io.BytesIO(content))
    size = path.stat().st_size
    with breaking(planner.url, [5 << 20, 5 << 20]) as line:
        put = me("--planner", line.url, "depot", "put", str(path), "--json")
        assert put.code == 0, put
        assert line.cuts == []
        # Of each of the two cuts what was still on the way is sent again.
        assert line.sent < size + (6 << 20)
    assert put.json[0]["digest"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_depot_is_pruned_of_what_nothing_needs(me: Dsmtc, tmp_path: Path) -> None:
    create(me, "pruned")
    for minor in range(5):
        assert me("depot", "put", archive(tmp_path, f"1.{minor}")).code == 0
    looked = me("depot", "prune", "--keep", "2", "--dry-run")
    assert looked.out.startswith("would be removed: 2 packages"), looked
    assert "in use by demo" in looked.out
    assert me("depot", "prune", "--older-than", "30d", "--json").json["removed"] == []
    assert len(me("depot", "prune", "--keep", "2", "--json").json["removed"]) == 2
    assert [one["version"] for one in me("depot", "list", "--json").json] == ["1.0", "1.3", "1.4"]
    assert me("depot", "prune", "--keep", "0").code == 3
    assert me("depot", "prune", "--older-than", "x").code == 2


def test_how_an_application_is_watched_is_shown_and_chosen(me: Dsmtc, tmp_path: Path) -> None:
    create(me, "checked")
    assert me("depot", "put", archive(tmp_path, "1.0")).code == 0
    assert me("check").out.startswith("demo is checked by its status script")
    chosen = me("check", "demo", "--tcp", "8080", "--every", "10s", "--failures", "3", "--restart", "never")
    assert chosen.out == (
        "demo is checked by tcp://127.0.0.1:8080, every 10 s\n"
        "  failed after 3 in a row, running after 1\n"
        "  restarted: never\n"
    )
    more = me("check", "--restart", "always", "--restarts", "5", "--within", "1h", "--timeout", "2s")
    assert more.out.endswith("restarted: always, at most 5 times within 3600 s\n")
    shown = me("check", "demo", "--json").json
    assert (shown["check"], shown["failures"], shown["timeout_s"]) == ("tcp://127.0.0.1:8080", 3, 2.0)
    assert me("check", "--script").out.startswith("demo is checked by its status script")
    assert me("check", "--script", "--tcp", "80").code == 2
    refused = me("check", "--http", "http://169.254.169.254/latest")
    assert (refused.code, "does not go to the sliver itself" in refused.err) == (3, True)


def test_a_watch_ends_in_time_and_says_what_was_missing(me: Dsmtc, planner: Planner) -> None:
    create(me, "watched")
    ended = me("status", "--watch", "--until-running", "1", "--timeout", "1.2")
    assert ended.code == 7
    assert "dsmtc: not 1 running within 1.2 s" in ended.err
    assert "no plan" in ended.out


def test_what_is_published_is_in_the_catalogue(me: Dsmtc, tmp_path: Path) -> None:
    account = me("whoami", "--json").json["account"]
    at = ("--channel", f"/com/example/{account.partition('@')[0]}/")
    pinger = ("--service", f"pinger-{account}")
    describe = ("text=times", f"channel.1={at[1]}", "field.1=round-trip", "greatest.1=60")
    assert me("publish", *at, *pinger, "--field", "service-description", *describe).code == 0
    sent = me("publish", *at, *pinger, "--field", "round-trip", "ms=7.2", "--ttl", "9", "--json").json
    assert (sent["instance"], sent["pairs"], sent["ttl"]) == (f"account/{account}", {"ms": "7.2"}, 9)
    document = tmp_path / "event.xml"
    document.write_text(f"<event><channel>{at[1]}</channel><field>surprise</field><value>x</value></event>")
    assert me("publish", "--xml", str(document)).code == 0
    piped = me(
        "publish",
        "--xml",
        "-",
        typed=document.read_text().replace("<field>", f"<service>{pinger[1]}</service><field>"),
    )
    assert (piped.code, piped.out) == (0, f"published surprise on {at[1]}\n")
    deadline = time.monotonic() + PATIENCE_S
    while "surprise" not in (listed := me("channels", "--below", at[1])).out:
        assert time.monotonic() < deadline, listed
    assert "DESCRIBED" in listed.out
    assert "times" in me("services").out
    checked = me("services", "--check")
    assert checked.code == 6
    assert "it did not describe the field 'surprise' there" in checked.out
    assert "break their descriptions" in checked.err
    assert pinger[1] in {each["service"] for each in me("services", "--check", "--json").json}


def test_what_cannot_be_published_has_its_exit_code(me: Dsmtc, tmp_path: Path) -> None:
    large = tmp_path / "large.xml"
    large.write_text("x" * (1 << 20))
    below = "/org/dsmt/ns/deployment/nothing/org.dsmt.component.deployment-agent"
    for words, code in (
        (["--field", "f"], 2),
        (["--channel", "/c/"], 2),
        (["--channel", "/c/", "--field", "f", "word"], 2),
        (["--channel", "/c/", "--field", "f", "a=1", "a=2"], 2),
        (["--channel", "/c/", "--xml", "-"], 2),
        (["--channel", "nonsense", "--field", "f"], 3),
        (["--channel", "/" + "x" * 300, "--field", "f"], 3),
        (["--channel", "/c/", "--field", "f", "--value", "\x01"], 3),
        (["--channel", "/c/", "--field", "f", "--to-instance", "i"], 3),
        (["--xml", str(tmp_path / "nothing.xml")], 3),
        (["--channel", f"{below}/command/", "--field", "status", "--value", "STOP,n,a"], 4),
        (["--channel", f"{below}/status/n/", "--field", "status"], 4),
        (["--channel", "/org/dsmt/", "--field", "f"], 4),
        (["--xml", str(large)], 6),
    ):
        ended = me("publish", *words)
        assert (ended.code, ended.out) == (code, ""), (words[:3], ended)
        assert ended.err.startswith("dsmtc: ")
        assert "Traceback" not in ended.err


def test_the_watcher_shows_what_was_what_holds_and_all_of_it_in_xml(me: Dsmtc) -> None:
    place = ("--channel", "/com/example/watched/")
    for value in ("1", "2", "3"):
        assert me("publish", *place, "--field", "count", "--value", value).code == 0
    lines = me("events", *place, "--since", "first").out.splitlines()
    assert [line.split()[-2:] for line in lines] == [["count", value] for value in ("1", "2", "3")]
    offset = int(lines[1].split("#")[1].split()[0])
    again = me("events", *place, "--since", str(offset), "--follow", "--count", "2").out.splitlines()
    assert again == lines[1:]
    deadline = time.monotonic() + PATIENCE_S
    while '"3"' not in (held := me("events", *place, "--snapshot", "--type", "attribute", "--json").out):
        assert time.monotonic() < deadline, held
    assert [json.loads(line)["snapshot"] for line in held.splitlines()] == [True]
    documents = me("events", *place, "--since", "1h", "--xml").out.splitlines()
    assert [decode(line.encode(), XML).value for line in documents] == ["1", "2", "3"]
    assert me("events", *place, "--xml", "--json").code == 2
    wrong = me("events", "--since", "yesterday")
    assert (wrong.code, "yesterday" in wrong.err) == (3, True)
