"""Completion at a Tab in bash, zsh and fish, with the planner's names; quick, and silent without it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dsmtc import completion, live_names
from dsmtc.completion_scripts import SCRIPTS
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice


@pytest.fixture(autouse=True)
def _world(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    # A machine that has much else to do is no reason to fail.
    monkeypatch.setattr(live_names, "WAIT_S", 20.0)
    monkeypatch.setattr(completion, "WITHIN_S", 20.0)
    fake.slices["my_slice"] = a_slice("my_slice", applications=[{"application": "pinger"}])
    fake.plans["only3"] = {"name": "only3", "base": "limit", "parameters": {}, "builtin": False}
    fake.nodes = [a_node(f"node{number}.example.org") for number in (1, 2)]


def a_node(host: str) -> dict[str, Any]:
    """A node as the planner shows it."""
    return {"host": host, "state": "alive", "heard_at": 1.0, "period": 5.0} | {
        "evidence": [],
        "slivers": [],
        "facts": {},
    }


def asked(dsmtc: Dsmtc, line: str, shell: str = "bash") -> list[str]:
    """What is offered at the end of a line."""
    ended = dsmtc("__complete", shell, "--", *line.split(" "))
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


def test_names_are_those_of_now(dsmtc: Dsmtc, fake: Fake) -> None:
    assert asked(dsmtc, "--slice my_slice setplan --plan on") == ["only3"]
    assert asked(dsmtc, "--slice my_slice setplan --plan = on") == ["only3"]
    assert asked(dsmtc, "--slice my_slice setplan --plan=on") == ["only3"]
    assert asked(dsmtc, "--slice m") == ["my_slice"]
    assert asked(dsmtc, "nodes show ") == ["node1.example.org", "node2.example.org"]
    assert asked(dsmtc, "--slice my_slice restart ") == ["pinger"]
    # And for a while they are not asked for again.
    count = len(fake.asked)
    asked(dsmtc, "nodes show ")
    assert len(fake.asked) == count


def test_verbs_come_with_what_they_do_where_a_shell_shows_it(dsmtc: Dsmtc) -> None:
    assert asked(dsmtc, "pin") == ["ping"]
    assert asked(dsmtc, "pin", "fish")[0].startswith("ping\twhich agents are there")
    assert asked(dsmtc, "") != []
    assert dsmtc("__complete").code == 0


def test_hostile_names_are_harmless(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.nodes = [a_node("a\x1b[2J\nb")]
    assert asked(dsmtc, "nodes show ") == ["a\\x1b[2J\\nb"]


def test_files_are_offered_where_a_verb_takes_them(dsmtc: Dsmtc, tmp_path: Path) -> None:
    (tmp_path / "a-1.rpm").touch()
    (tmp_path / "a-dir").mkdir()
    found = asked(dsmtc, f"depot put {tmp_path}/a")
    assert sorted(found) == [f"{tmp_path}/a-1.rpm", f"{tmp_path}/a-dir/"]


def test_a_planner_that_is_away_or_silent_is_not_waited_for(
    stranger: Dsmtc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "WITHIN_S", 0.2)
    assert asked(stranger, "nodes show ") == []
    stranger.write_account()
    assert asked(stranger, "nodes show ") == []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        stranger.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # It would be waited for twenty seconds, were it not for the limit of all.
        assert asked(stranger, "nodes show ") == []


def test_names_that_were_kept_are_better_than_none(dsmtc: Dsmtc, fake: Fake) -> None:
    assert asked(dsmtc, "nodes show ") != []
    for kept in (dsmtc.home / ".dsmt" / "names").iterdir():
        assert kept.stat().st_mode & 0o077 == 0
        os.utime(kept, (1.0, 1.0))
    fake.raw = 500, b"{}"
    assert asked(dsmtc, "nodes show ") == ["node1.example.org", "node2.example.org"]


def test_a_name_that_was_mistyped(dsmtc: Dsmtc) -> None:
    ended = dsmtc("status", "--slice", "my_slcie")
    assert (ended.code, "did you mean my_slice?" in ended.err) == (3, True)
    assert "did you mean" not in dsmtc("status", "--slice", "xxxxxxxxx").err


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_real_shell_completes(dsmtc: Dsmtc, shell: str) -> None:
    if shutil.which(shell) is None and not os.environ.get("CI"):
        pytest.skip(f"{shell} is not installed")
    program = dsmtc.home / "bin" / "dsmtc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dsmtc.main "$@"\n')
    program.chmod(0o755)
    line = "dsmtc depot pru"
    asks = {
        "bash": f'COMP_WORDS=({line}); COMP_CWORD=2; _dsmtc; echo "${{COMPREPLY[0]}}"',
        # No terminal is there to press Tab at: what would be offered is printed instead.
        "zsh": f"compadd() {{ print -r -- ${{words_[1]}} }}; words=({line}); CURRENT=3; _dsmtc",
        "fish": f"complete -C '{line}' | cut -f 1",
    }
    before = {"zsh": "compdef() { true }; "}.get(shell, "")
    outside = dsmtc.outside(
        {"PYTHONPATH": str(Path.cwd()), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    )
    script = f"{before}{SCRIPTS[shell]}\n{asks[shell]}"
    done = subprocess.run(
        [shell, "-c", script], env=outside, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.stdout.strip() == "prune", done.stderr


def test_the_scripts_are_printed_as_they_are(dsmtc: Dsmtc) -> None:
    for shell, script in SCRIPTS.items():
        assert dsmtc("completion", shell).out == script
        assert json.loads(dsmtc("completion", shell, "--json").out)["script"] == script
    assert dsmtc("completion", "tcsh").code == 2
