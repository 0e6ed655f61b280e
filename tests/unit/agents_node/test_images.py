"""What is decided about images without an engine: its settings, and what is brought along."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.container_manager.images.brought import bring
from agents.container_manager.images.engine_service import configuration

NAMES = ("crun", "runc", "systemd", "unified")


@given(st.fixed_dictionaries({name: st.booleans() for name in NAMES}))
def test_the_engine_s_settings_name_only_what_is_there(here: dict[str, bool]) -> None:
    engine = tomllib.loads(configuration(here))["engine"]
    if engine.get("runtime") == "runc":
        assert here["runc"]
    if here["crun"] and here["unified"]:
        assert "runtime" not in engine
    assert ("cgroup_manager" in engine) is not here["systemd"]


def test_what_is_brought_runs_where_it_lies_and_is_made_once(tmp_path: Path) -> None:
    target = tmp_path / "seen"
    brought = bring(tmp_path / "python", str(target))
    made = brought.directory.stat().st_mtime_ns
    again = bring(tmp_path / "python", str(target))
    assert (again, again.directory.stat().st_mtime_ns) == (brought, made)
    target.symlink_to(brought.directory)
    for path, name in brought.mounts:
        (brought.directory / name).rmdir()
        (brought.directory / name).symlink_to(path)
    code = "import sys, json, socket, ctypes; print(sys.prefix, sys.flags.isolated)"
    done = subprocess.run(
        [*brought.python(), "-I", "-S", "-E", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHOME": "/nonexistent", "PATH": os.defpath},
    )
    assert done.stdout.split() == [str(target), "1"]
    assert Path(brought.python()[-1]).name.startswith(f"python{sys.version_info.major}.")


def test_a_program_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\n" * 10)
    monkeypatch.setattr("agents.container_manager.images.brought.interpreter", lambda: script)
    with pytest.raises(Exception, match="not a program of this kind"):
        bring(tmp_path / "made", "/x")
