"""The house stays as it was meant: small rooms, no shadowed packages, nothing of a machine in it."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from tests.mutants.rooms import ROOMS

ROOT = Path(__file__).parents[2]
PACKAGES = ("dsmt_core", "broker", "planner", "agents", "depot", "dsmtc", "lab")
FILE_LINES, FUNCTION_LINES = 300, 40
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "misc"}


def sources() -> list[Path]:
    return sorted(path for package in (*PACKAGES, "benchmarks") for path in (ROOT / package).rglob("*.py"))


def test_no_file_is_longer_than_a_room() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > FILE_LINES
    }
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.body[0].lineno >= FUNCTION_LINES
    ]
    assert not long


def test_no_room_is_a_drawer_for_everything() -> None:
    assert not [path for path in sources() if FORBIDDEN_NAMES & set(path.with_suffix("").parts)]


def test_every_module_states_its_rule() -> None:
    assert not [path for path in sources() if not ast.get_docstring(ast.parse(path.read_text()))]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_shadows_a_package(package: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(package, [])) - {"dsmt"}
    assert not owners, f"{package} also comes from {owners}: install DSMT in an environment of its own"


def test_nothing_of_the_machine_it_was_written_on_is_in_the_repository() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.split("\0")
    marks = ("/" + "work/", "/root/" + ".pyenv", ".." + "/shared")
    found = [
        name
        for name in tracked
        if name
        and (ROOT / name).is_file()
        and any(m in (ROOT / name).read_text(errors="ignore") for m in marks)
    ]
    assert not found


def test_each_room_of_the_mutants_has_modules_and_tests() -> None:
    for name, room in ROOMS.items():
        assert all(list(ROOT.glob(pattern)) for pattern in room.modules), name
        assert all((ROOT / test).exists() for test in room.tests), name
