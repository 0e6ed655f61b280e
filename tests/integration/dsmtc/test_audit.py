"""``dsmtc audit`` against a planner: read, verified, exported, compared, pruned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_real_planner import ADMIN, PASSWORD, PATIENCE_S, _url


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("planner")
    words = [sys.executable, "-m", "planner.main"]
    data = ["--data", str(folder / "data")]
    environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
    subprocess.run([*words, "init", *data, "--admin", ADMIN], env=environment, check=True)
    ready = folder / "ready.json"
    listen = ["--listen", "127.0.0.1:0", "--ready-file", str(ready)]
    broker = ["--broker", "memory://planner@dsmtc-audit"]
    with subprocess.Popen([*words, "run", *data, *broker, *listen], stderr=subprocess.DEVNULL) as process:
        try:
            yield _url(ready, process)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0


@pytest.fixture
def admin(tmp_path: Path, planner: str) -> Dsmtc:
    person = Dsmtc(tmp_path, planner)
    person.write_account(f"account: {ADMIN}\npassword: {PASSWORD}\nrole: admin\n")
    return person


def test_the_log_is_read_verified_exported_compared_and_pruned(admin: Dsmtc, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        assert admin("create", "--slice", name).code == 0
    shown = admin("audit", "--about", "two", "--since", "1h")
    assert shown.code == 0
    assert "slice.make" in shown.out
    assert ADMIN in shown.out
    lines = admin("audit", "--act", "slice", "--jsonl").out.splitlines()
    assert "slice.make" in {json.loads(line)["act"] for line in lines}
    assert len(admin("audit", "--count", "2", "--json").json) == 2
    assert admin("audit", "verify").out.startswith("the audit log is whole: ")

    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert admin("audit", "export", str(first)).code == 0
    assert first.stat().st_mode & 0o777 == 0o600
    assert admin("audit", "export", str(first)).code == 6
    assert admin("delete", "--slice", "three", "--yes").code == 0
    assert admin("audit", "verify", "--against", str(first)).code == 0
    assert admin("audit", "export", str(second)).code == 0
    nowhere = Dsmtc(tmp_path, "http://127.0.0.1:9")
    assert nowhere("audit", "verify", str(second), "--against", str(first)).code == 0

    assert "nothing is old enough" in admin("audit", "prune", str(second)).out
    pruned = admin("audit", "prune", str(second), "--keep", "0s")
    assert pruned.code == 0, pruned
    assert admin("audit", "verify", "--against", str(first)).code == 0
    assert "that were pruned" in admin("audit", "verify").out


def test_a_file_that_was_altered_is_found(admin: Dsmtc, tmp_path: Path) -> None:
    for name in ("four", "five"):
        assert admin("create", "--slice", name).code == 0
    whole = tmp_path / "whole.jsonl"
    assert admin("audit", "export", str(whole)).code == 0
    lines = whole.read_text().splitlines()
    for name, altered, told in (
        ("changed", [lines[0], lines[1].replace(ADMIN, "else@example.com"), *lines[2:]], "was changed"),
        ("removed", [*lines[:2], *lines[3:]], "missing, removed"),
        ("moved", [lines[0], lines[2], lines[1], *lines[3:]], "moved, or put in"),
        ("cut", lines[:-1], "the end was cut off"),
    ):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("\n".join(altered) + "\n")
        ended = admin("audit", "verify", str(file))
        assert (ended.code, told in ended.out) == (1, True), (name, ended)
        assert admin("audit", "verify", str(file), "--json").json["whole"] is False
        assert admin("audit", "prune", str(file), "--keep", "0s").code == 3


def test_what_is_no_log_is_told_in_one_line(admin: Dsmtc, tmp_path: Path) -> None:
    for content in ("", "no json\n", "[1]\n", '{"audit": 99}\n', '{"audit": 1, "anchor": "x"}\n'):
        file = tmp_path / "file"
        file.write_text(content)
        ended = admin("audit", "verify", str(file))
        assert ended.code == 3, (content, ended)
        assert len(ended.err.splitlines()) <= 2
    assert admin("audit", "verify", str(tmp_path / "none")).code == 3
    assert admin("audit", "--since", "nonsense").code == 2
