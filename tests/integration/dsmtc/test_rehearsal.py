"""``--dry-run`` of every verb tells what would change and changes nothing; Ctrl-C tells what goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsmt_core.errors import DsmtError
from dsmtc.client import Client
from dsmtc.interrupted import goes_on
from dsmtc.progress import Progress
from dsmtc.shell import is_open, joined, whole
from dsmtc.verbs import UNREHEARSED
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice

CHANGING = """
create --slice new
manage --slice s
unmanage --slice s
delete --slice s
renew --slice s
setagent --slice s --agent deployment-agent
guard --slice s --least 1
limits --slice s --memory 64M
plan delete --slice s --plan p
image --slice s pinger localhost/pinger:1
depot put --slice s PACKAGE
depot remove --slice s a-1.rpm
depot quota --slice s 20G
start --slice s pinger
stop --slice s pinger
restart --slice s pinger
uninstall --slice s pinger
secret put --slice s token @PACKAGE
secret remove --slice s token
exec --slice s node1 --application pinger --dry-run -- uname
rollout pause --slice s pinger
rollout abort --slice s pinger
nodes label node1 rack=r7
nodes invite
nodes forget node1
publish --channel /com/example/ --field a --value b
account add you@example.com
account remove you@example.com
account token make backup
plc addsite new
plc adduser --slice s you@example.com
slice set --slice s --description words
""".strip().splitlines()


@pytest.fixture(autouse=True)
def _world(fake: Fake) -> None:
    fake.slices["s"] = a_slice("s", applications=[{"application": "pinger"}])
    fake.plans["p"] = {"name": "p", "base": "failed", "parameters": {}, "builtin": False}
    fake.packages["a-1.rpm"] = b"package"


@pytest.mark.parametrize("line", CHANGING)
def test_nothing_is_changed(dsmtc: Dsmtc, fake: Fake, line: str, tmp_path: Path) -> None:
    package = tmp_path / "a-1.rpm"
    package.write_bytes(b"package")
    words = line.replace("PACKAGE", str(package)).split()
    words = words if "--dry-run" in words else [*words, "--dry-run"]
    ended = dsmtc(*words, DSMT_NEW_PASSWORD="a long secret")
    assert (ended.code, "nothing was changed" in ended.out, ended.err) == (1, True, ""), line
    assert "a long secret" not in ended.out
    assert {method for method, path, _ in fake.asked if not path.endswith("/login")} <= {"GET"}
    assert list(fake.slices) == ["s"]


def test_it_is_told_to_programs_too(dsmtc: Dsmtc) -> None:
    ended = dsmtc("delete", "--slice", "s", "--dry-run", "--json")
    means = ["ends its slivers on 1 node: node1, with pinger", "removes 1 packages and 1 plans of it"]
    would = [{"method": "DELETE", "path": "/v1/slices/s", "means": means}]
    assert json.loads(ended.out) == {"would": would, "whole": True}


def test_all_of_it_is_told_and_no_secret(dsmtc: Dsmtc, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a-1.rpm", "b-1.rpm")]
    for file in files:
        file.write_bytes(b"package")
    ended = dsmtc("depot", "put", "--slice", "s", *map(str, files), "--dry-run", "--json")
    assert [one["path"].rpartition("/")[2] for one in ended.json["would"]] == ["a-1.rpm", "b-1.rpm"]
    line = "slice members --slice s --add a@example.com --add b@example.com --remove c@example.com"
    assert len(dsmtc(*line.split(), "--dry-run", "--json").json["would"]) == 3
    put = dsmtc("secret", "put", "--slice", "s", "token", f"@{files[0]}", "--dry-run").out
    assert ("(left out)" in put, "cGFja2FnZQ" in put) == (True, False), put
    assert dsmtc("depot", "put", "--slice", "s", str(files[0]), "/nowhere", "--dry-run").code == 255


def test_what_it_would_mean_is_told_where_it_is_known(dsmtc: Dsmtc) -> None:
    for line, said in (
        ("stop pinger", "pinger stops on 1 node: node1"),
        ("start pinger", "pinger is nowhere where that would change something now"),
        ("uninstall pinger", "pinger is removed from 1 node: node1"),
        ("restart pinger --host elsewhere", "nowhere"),
        ("depot remove a-1.rpm", "it is wanted as pinger, so this will be refused"),
        ("unmanage", "nothing is healed any more, on 1 node: node1"),
    ):
        assert said in dsmtc(*line.split(), "--slice", "s", "--dry-run").out, line
    assert dsmtc("stop", "pingr", "--slice", "s", "--dry-run").code == 255


def test_what_only_asks_has_nothing_to_do_and_what_is_wrong_cannot_be_told(dsmtc: Dsmtc) -> None:
    assert dsmtc("slices", "--dry-run").code == 0
    assert dsmtc("delete", "--slice", "s", "--dry-run", "--nothing").code == 255


@pytest.mark.parametrize("line", UNREHEARSED)
def test_what_cannot_be_rehearsed_says_so(dsmtc: Dsmtc, fake: Fake, line: str) -> None:
    ended = dsmtc(*line.split(), "x", "--dry-run")
    assert (ended.code, "cannot be tried" in ended.err, fake.asked) == (255, True, [])


def test_ctrl_c_tells_what_goes_on(dsmtc: Dsmtc, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "status", pressed)
    ended = dsmtc("wait", "--slice", "s")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "interrupted; what was waited for goes on; dsmtc status tells how it stands\n"
    assert "the roll-out goes on" in goes_on(["rollout", "start"], changing=True)
    assert "the drain goes on" in goes_on(["nodes", "drain", "n"], changing=False)
    assert "not known" in goes_on(["delete"], changing=True)
    assert goes_on(["slices"], changing=False) == ""


def test_an_upload_tells_how_far_it_is_also_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("big.rpm") as progress:
        for sent in range(101):
            progress.reached(sent << 20, 100 << 20)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"big.rpm: {percent} % of 100.0 MiB" for percent in (0, 25, 50, 75, 100)]
    with Progress("small.rpm") as progress:
        progress.reached(10, 10)
    assert capsys.readouterr().err == ""


def test_lines_go_on_behind_a_backslash_and_in_quotes() -> None:
    text = "a \\\nb\n# it's\nc 'd\ne' f\n!x\ng 'open\n"
    numbered = [(1, "a b"), (3, "# it's"), (4, "c 'd\ne' f"), (6, "!x"), (7, "g 'open")]
    assert list(whole(text.splitlines(keepends=True))) == numbered
    assert is_open("a\\")
    assert joined("a\\", "b") == "ab"


def test_a_script_has_lines_that_go_on(dsmtc: Dsmtc) -> None:
    ended = dsmtc("--cli", typed="slices \\\n-o names\nuse \\\ns\n")
    assert (ended.code, ended.out, ended.err) == (0, "s\n", "")


def test_a_rehearsal_in_the_shell_does_not_stay(dsmtc: Dsmtc, fake: Fake) -> None:
    ended = dsmtc("--cli", typed="unmanage --slice s --dry-run\nunmanage --slice s\n")
    assert (ended.code, fake.slices["s"]["managed"]) == (0, False), ended.err


def test_the_sdk_rehearses_too(dsmtc: Dsmtc) -> None:
    with Client(dsmtc.url) as client:
        client.transport.rehearses = True
        with pytest.raises(DsmtError, match="not sent: DELETE"):
            client.transport.request("DELETE", "/v1/slices/s", shape=dict)
