"""The user guide's commands as processes, against a planner's HTTP."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dsmt_core.errors import Conflict, Denied, DsmtError, Full, Invalid, Unavailable
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice, a_status


def test_the_guides_transcript_works_from_the_systems_shell(
    dsmtc: Dsmtc, fake: Fake, tmp_path: Path
) -> None:
    fake.slices["my_slice"] = a_slice("my_slice", managed=False)
    package = tmp_path / "my-application.rpm"
    package.write_bytes(b"not small" * 100_000)
    for line in (
        "manage -slice my_slice",
        f"depot put {package}",
        "setagent --agent deployment-agent status_period=2",
        "plan set --plan goodNodes --base minus left=all_nodes right=failed",
        "plan set --plan only10 --base limit parent=goodNodes count=10",
        "setplan --plan only10",
        "status",
    ):
        ended = dsmtc.process(*line.split())
        assert (ended.code, ended.err) == (0, ""), (line, ended)
        assert ended.out
    assert fake.slices["my_slice"]["managed"]
    assert fake.slices["my_slice"]["agent_parameters"] == {"status_period": "2"}
    assert fake.slices["my_slice"]["plan"] == "only10"
    assert fake.plans["only10"]["parameters"] == {"parent": "goodNodes", "count": "10"}
    assert fake.packages["my-application.rpm"] == package.read_bytes()


def test_one_login_serves_all_commands_that_follow(dsmtc: Dsmtc, fake: Fake, tmp_path: Path) -> None:
    fake.slices["xyz1"] = a_slice("xyz1")
    for _ in range(3):
        assert dsmtc("status").code == 0
    assert fake.logins == 1
    tokens = tmp_path / ".dsmt" / "tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert "secret" not in tokens.read_text()


def test_a_token_that_has_ended_costs_one_more_login(dsmtc: Dsmtc, fake: Fake) -> None:
    dsmtc("whoami")
    fake.tokens.clear()
    assert dsmtc("whoami").code == 0
    assert fake.logins == 2


def test_a_wrong_password_is_refused_although_a_token_is_kept(dsmtc: Dsmtc, fake: Fake) -> None:
    assert dsmtc("whoami").code == 0
    ended = dsmtc("whoami", "--user", "me@example.com", "--password", "wrong")
    assert ended.code == 4
    assert ended.err.startswith("dsmtc: account or password is wrong\n  hint:")


def test_create_takes_first_who_acts_and_then_the_slices_user(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.accounts["pi@example.com"] = "pipassword"
    ended = dsmtc(
        *[
            "create",
            "--user",
            "pi@example.com",
            "--password",
            "pipassword",
            "--role",
            "PI",
            "--user",
            "me@example.com",
        ],
        *["--slice", "my_slice"],
    )
    assert ended.code == 0, ended
    assert fake.slices["my_slice"]["owner"] == "me@example.com"
    assert fake.tokens["token1"] == {"account": "pi@example.com", "role": "pi"}


def test_create_with_one_user_and_an_account_file_names_the_slices_user(dsmtc: Dsmtc, fake: Fake) -> None:
    assert dsmtc("create", "--user", "you@example.com", "--slice", "s", "--json").code == 0
    assert fake.slices["s"]["owner"] == "you@example.com"
    assert fake.tokens["token1"]["account"] == "me@example.com"


def test_create_keeps_the_parameters_of_agent_and_plan_apart(dsmtc: Dsmtc, fake: Fake) -> None:
    line = "create --slice s --agent deployment-agent status_period=2 --plan limit count=3"
    assert dsmtc(*line.split()).code == 0
    method, path, body = fake.asked[-1]
    assert (method, path) == ("POST", "/v1/slices")
    assert body == {
        "slice": "s",
        "agent": "deployment-agent",
        "agent_parameters": {"status_period": "2"},
        "plan": "limit",
        "plan_parameters": {"count": "3"},
    }


def test_without_a_slice_the_only_one_is_meant_and_else_they_are_listed(dsmtc: Dsmtc, fake: Fake) -> None:
    assert "dsmtc create" in dsmtc("status").err
    fake.slices["one"] = a_slice("one")
    assert dsmtc("status").code == 0
    fake.slices["two"] = a_slice("two")
    ended = dsmtc("status")
    assert ended.code == 2
    assert "one, two" in ended.err
    assert dsmtc("status", DSMT_SLICE="two").code == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [(Denied("no"), 4), (Conflict("used"), 6), (Full("full"), 6), (Invalid("bad"), 3), (DsmtError("x"), 1)],
    ids=lambda value: getattr(value, "code", None),
)
def test_the_planners_error_decides_the_exit_code(
    dsmtc: Dsmtc, fake: Fake, error: DsmtError, code: int
) -> None:
    error.hint = "do this"
    fake.refusals = [error]
    ended = dsmtc("nodes", "list")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err == f"dsmtc: {error.message}\n  hint: do this\n"


def test_a_planner_that_is_away_is_one_line_and_code_5(stranger: Dsmtc) -> None:
    stranger.write_account()
    ended = stranger("status", "--slice", "s")
    assert ended.code == 5
    assert ended.err.splitlines()[0] == (
        "dsmtc: the planner at http://127.0.0.1:1 cannot be reached: Connection refused"
    )
    assert len(ended.err.splitlines()) == 2


def test_something_else_on_the_planners_port_is_said_to_be_something_else(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.raw = (404, b"<html>not found</html>")
    ended = dsmtc("whoami")
    assert ended.code == 5
    assert "is not a planner of DSMT" in ended.err


def test_an_account_file_that_others_may_read_is_refused(dsmtc: Dsmtc, fake: Fake) -> None:
    path = dsmtc.write_account(mode=0o640)
    ended = dsmtc("whoami")
    assert ended.code == 4
    assert f"hint: chmod 600 {path}" in ended.err
    assert fake.logins == 0


def test_without_account_and_terminal_nobody_is_asked(stranger: Dsmtc, fake: Fake, server: object) -> None:
    stranger.url = server.url  # type: ignore[attr-defined]
    ended = stranger("whoami")
    assert ended.code == 4
    assert ended.err.splitlines() == [
        "dsmtc: no account and password are known",
        "  hint: dsmtc login --user ACCOUNT, or write ~/.dsmt/account (see dsmtc login --help)",
    ]
    named = stranger("whoami", "--user", "me@example.com")
    assert named.code == 4
    assert "nobody can be asked" in named.err


def test_a_login_is_remembered(stranger: Dsmtc, fake: Fake, server: object) -> None:
    stranger.url = server.url  # type: ignore[attr-defined]
    ended = stranger("login", "--user", "me@example.com", DSMT_PASSWORD="secret")
    assert ended.code == 0, ended
    assert "token1" not in ended.out
    assert stranger("whoami", "--json").json["account"] == "me@example.com"
    assert fake.logins == 1


def test_status_shows_health_first_and_no_escape_of_a_node_reaches_the_terminal(
    dsmtc: Dsmtc, fake: Fake
) -> None:
    fake.slices["xyz1"] = a_slice("xyz1")
    fake.status = a_status("xyz1", text="\x1b]0;owned\x07\nrm -rf /\u202e")
    ended = dsmtc("status")
    lines = ended.out.splitlines()
    assert lines[1] == "3 wanted, 1 running, 0 failed, 0 waiting, 2 missing"
    assert lines[3] == "waiting: 2 nodes are missing"
    assert "\\x1b]0;owned\\x07\\nrm -rf /\\u202e" in lines[-1]
    raw = dsmtc("status", "--json")
    assert raw.json == fake.status
    assert raw.out.isascii()


def test_status_waits_until_so_many_run_or_the_time_is_over(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["xyz1"] = a_slice("xyz1")
    late = dsmtc("status", "--until-running", "3", "--timeout", "0.6")
    assert late.code == 7
    assert late.err.startswith("dsmtc: not 3 running within 0.6 s: 3 wanted, 1 running")
    assert "node1" in late.out
    fake.status = a_status("xyz1", running=3)
    assert dsmtc("status", "--watch", "--until-running", "3").code == 0


def test_a_watch_outlives_a_planner_that_is_away_for_a_while(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["xyz1"] = a_slice("xyz1")
    assert dsmtc("whoami").code == 0
    words = [sys.executable, "-m", "dsmtc.main", "status", "--watch", "--until-running", "3"]
    with subprocess.Popen(
        [*words, "--timeout", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dsmtc.outside({"PYTHONUNBUFFERED": "1"}),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = [process.stdout.readline() for _ in range(7)]
        fake.refusals = [Unavailable("the planner rests"), Unavailable("the planner rests")]
        told = process.stderr.readline()
        fake.status = a_status("xyz1", running=3)
        assert process.stdout.read() == "3 wanted, 3 running, 0 failed, 0 waiting\n"
        assert process.stderr.read() == "the planner answers again\n"
        assert process.wait(timeout=90) == 0
    assert first[-1] == "3 wanted, 1 running, 0 failed, 0 waiting, 2 missing\n"
    assert told == "the planner rests; trying again\n"


def test_events_are_lines_and_end_after_so_many(dsmtc: Dsmtc, fake: Fake) -> None:
    ended = dsmtc("events", "--channel", "/org/", "--count", "2", "--json", "--follow")
    assert ended.code == 0, ended
    assert len(ended.out.splitlines()) == 2
    plain = dsmtc("events")
    assert plain.out.count("deployment-status hostname=node1,status=running") == 3


def test_a_followed_stream_that_ends_is_taken_up_again(dsmtc: Dsmtc, fake: Fake) -> None:
    ended = dsmtc("events", "--follow", "--count", "5")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 5
    told = "ended the stream of events; what is said meanwhile is not shown; going on as soon as it answers"
    first, then = ended.err.splitlines()
    assert first.endswith(told)
    assert then == "the stream of events goes on"


def test_a_stream_that_never_was_is_an_error(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.refusals = [Unavailable("the planner rests")] * 3
    ended = dsmtc("events", "--follow")
    assert (ended.code, ended.out) == (5, "")
    assert "the planner rests" in ended.err


def test_a_package_comes_back_whole_or_not_at_all(dsmtc: Dsmtc, fake: Fake, tmp_path: Path) -> None:
    fake.slices["s"] = a_slice("s")
    fake.packages["a-1.rpm"] = b"x" * 1_000_000
    target = tmp_path / "got.rpm"
    assert dsmtc("depot", "get", "a-1.rpm", "--output", str(target)).code == 0
    assert target.read_bytes() == fake.packages["a-1.rpm"]
    assert dsmtc("depot", "get", "a-1.rpm", "--output", str(target)).code == 6
    fake.altered = True
    other = tmp_path / "altered.rpm"
    ended = dsmtc("depot", "get", "a-1.rpm", "--output", str(other))
    assert ended.code == 3
    assert [path.name for path in tmp_path.iterdir() if "rpm" in path.name] == ["got.rpm"]


@pytest.mark.parametrize(
    "line", [["stop", ""], ["uninstall", ""], ["depot", "remove", ""], ["setplan", ""]]
)
def test_an_empty_word_does_not_mean_all_there_is(dsmtc: Dsmtc, fake: Fake, line: list[str]) -> None:
    fake.slices["s"] = a_slice("s", applications=[{"application": "pinger"}])
    ended = dsmtc(*line)
    assert (ended.code, "is empty" in ended.err, fake.asked) == (2, True, [])
    assert dsmtc("slice", "set", "--description", "").code != 2


@pytest.mark.parametrize("host", ["a" * 300, "a b", "a." * 200])
def test_a_host_that_cannot_be_looked_up_is_no_planner(dsmtc: Dsmtc, host: str) -> None:
    ended = dsmtc("nodes", "--planner", f"http://{host}/")
    assert (ended.code, "is not the URL of a planner" in ended.err) == (3, True), ended


def test_all_about_one_package(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    fake.packages["a-1.rpm"] = b"x" * 2048
    shown = " ".join(dsmtc("depot", "show", "a-1.rpm").out.split())
    for said in (
        "a-1.rpm",
        "2.0 KiB (2048 bytes)",
        "by me@example.com",
        "signed by nobody",
        "wanted as pinger",
    ):
        assert said in shown
    assert dsmtc("depot", "show", "a-1.rpm", "--json").json["put_by"] == "me@example.com"


def test_an_unsigned_package_where_signed_ones_are_taken_is_told_at_once(
    dsmtc: Dsmtc, fake: Fake, tmp_path: Path
) -> None:
    fake.slices["s"], fake.demands = a_slice("s"), True
    package = tmp_path / "a-1.rpm"
    package.write_bytes(b"x")
    ended = dsmtc("depot", "put", str(package))
    assert ended.code == 0
    assert "takes signed packages only, and no publisher of it has signed a-1.rpm" in ended.err
    assert "dsmtc depot sign a-1.rpm --sign KEYFILE" in ended.err


@pytest.mark.parametrize(
    ("line", "method", "path"),
    [
        ("plc addsite --site lima", "POST", "/v1/sites"),
        ("plc delsite --site lima", "DELETE", "/v1/sites/lima"),
        ("plc delnode --node n1", "DELETE", "/v1/nodes/n1"),
        (
            "plc adduser --account you@example.com pi --site lima",
            "PUT",
            "/v1/sites/lima/people/you%40example.com",
        ),
    ],
)
def test_what_plc_is_about_may_be_an_option(dsmtc: Dsmtc, line: str, method: str, path: str) -> None:
    told = dsmtc(*line.split(), "--dry-run", "--json").json["would"][0]
    assert told["method"] == method
    assert told["path"].startswith(path.rpartition("/")[0]), told


def test_what_plc_is_about_has_to_be_named_once(dsmtc: Dsmtc) -> None:
    for line in ("plc addsite", "plc addsite a --site b", "plc delnode", "plc adduser"):
        assert dsmtc(*line.split()).code == 2, line


def test_a_file_that_cannot_be_read_is_named(dsmtc: Dsmtc, fake: Fake, tmp_path: Path) -> None:
    fake.slices["s"] = a_slice("s")
    for path, told in (
        (tmp_path, "is not a file"),
        (Path("/dev/zero"), "is not a file"),
        (tmp_path / "absent.rpm", "cannot be read: No such file or directory"),
    ):
        ended = dsmtc("depot", "put", str(path))
        assert ended.code == 3
        assert ended.err.startswith(f"dsmtc: {path} {told}")


def test_delete_asks_or_wants_yes(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["s"] = a_slice("s")
    assert dsmtc("delete", "--slice", "s").code == 2
    assert "s" in fake.slices
    assert dsmtc("delete", "--slice", "s", "--yes", "--json").json == {"slice": "s", "deleted": True}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("manage", "changed"),
        ("unmanage", "changed"),
        ("slices", 0),
        ("setagent --agent deployment-agent", "agent"),
        ("setplan --plan all_nodes", "plan"),
        ("plan set --plan p --base failed", "name"),
        ("plan list", 0),
        ("plan", 0),
        ("plan show --plan good", "base"),
        ("plan delete --plan good", "deleted"),
        ("plan eval --plan good", "left_out"),
        ("plan explain --plan good --node node2", "function"),
        ("plan functions", 0),
        ("depot list", 0),
        ("depot remove a-1.rpm", "removed"),
        ("nodes", 0),
        ("nodes --where cpus>1", 0),
        ("nodes show node1", "facts"),
        ("nodes label node1 rack=r7", "labels"),
        ("nodes invite --expires 60", "token"),
        ("nodes forget node1", "forgotten"),
        ("status", "hosts"),
        ("start pinger", "changed"),
        ("stop pinger --host node1", "hosts"),
        ("restart", "changed"),
        ("update pinger --version 1.9-1", "changed"),
        ("uninstall pinger", "changed"),
        ("login", "account"),
        ("whoami", "slices"),
        ("account add new@example.com", "roles"),
        ("account list", 0),
        ("account passwd", "changed"),
    ],
)
def test_every_verb_answers_in_words_and_in_json(
    dsmtc: Dsmtc, fake: Fake, line: str, key: str | int
) -> None:
    fake.slices["s"] = a_slice("s", applications=[{"application": "pinger", "version": "1.8-1"}])
    fake.plans["good"] = {"name": "good", "base": "minus", "parameters": {"left": "x"}, "builtin": False}
    fake.packages["a-1.rpm"] = b"rpm"
    fake.nodes = [
        {
            "host": "node1",
            "state": "alive",
            "heard_at": 1_700_000_000.0,
            "period": 1.0,
            "evidence": [{"what": "its heartbeats come", "when": 1_700_000_000.0, "by": "tracker"}],
            "slivers": ["s"],
            "facts": {"cpus": "2"},
        }
    ]
    words = line.split()
    answer = dsmtc("--json", *words, DSMT_NEW_PASSWORD="other")
    assert answer.code == 0, answer
    assert answer.json[key] is not None
    fake.plans["good"] = {"name": "good", "base": "minus", "parameters": {"left": "x"}, "builtin": False}
    fake.packages["a-1.rpm"] = b"rpm"
    fake.accounts["me@example.com"] = "secret"
    told = dsmtc(*words, DSMT_NEW_PASSWORD="other")
    assert told.code == 0, told
    assert told.out.strip()
    assert not told.out.startswith(("{", "["))


def test_a_verb_that_is_nearly_one_is_guessed(stranger: Dsmtc) -> None:
    ended = stranger("mange")
    assert (ended.code, ended.err) == (2, "dsmtc: there is no verb 'mange'\n  hint: did you mean manage?\n")
    assert "did you mean list?" in stranger("plan", "lst").err


def test_a_missing_word_names_the_help_that_tells_it(stranger: Dsmtc) -> None:
    ended = stranger("depot", "put")
    assert (ended.code, ended.err) == (
        2,
        "dsmtc: missing argument 'FILE...'\n  hint: dsmtc depot put --help\n",
    )


def test_a_full_disk_and_a_closed_stdout_are_no_surprise(dsmtc: Dsmtc, fake: Fake) -> None:
    words = f"{sys.executable} -m dsmtc.main whoami"
    for line, code in ((f"{words} > /dev/full", 1), (f"{words} >&- <&-", 0)):
        ended = subprocess.run(
            ["sh", "-c", line],
            env=dsmtc.outside({}),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=90,
        )
        assert ended.returncode == code
        assert ended.stderr in {"", "dsmtc: the answer cannot be written: No space left on device\n"}


def test_a_hostile_planner_cannot_draw_on_the_terminal_either(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.refusals = [Invalid("\x1b[2Jgone\r\n", hint="\x9b2J")]
    ended = dsmtc("-vv", "whoami")
    assert ended.code == 3
    assert "\x1b" not in ended.err
    assert "\x9b" not in ended.err
    assert ended.err.count("dsmtc: \\x1b[2Jgone\\r\\n\n  hint: \\x9b2J\n") == 1


def test_a_trace_is_shown_only_when_asked_for(stranger: Dsmtc) -> None:
    stranger.write_account()
    assert "Traceback" not in stranger("-v", "whoami").err
    assert "Traceback" in stranger("-vv", "whoami").err
