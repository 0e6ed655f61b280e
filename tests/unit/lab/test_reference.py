"""The reference is complete: what the code knows by name stands in a page."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

import dsmt_core
import dsmtc
from dsmt_core.errors import DsmtError
from lab.reference.commands import PROGRAMS
from lab.reference.events import channels
from planner.catalogue import PARTS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PACKAGES = ("broker", "planner", "agents", "depot", "dsmtc", "dsmt_core", "lab", "setup")
VARIABLE = re.compile(r"\bDSMT_[A-Z][A-Z_]*[A-Z]_?")
# Parts of examples: a name that a person has chosen stands behind the prefix.
CHOSEN = re.compile(r"DSMT_(?:CONFIG|SECRET|FILE|AGENT)_\w*")


def variables() -> set[str]:
    """The names of environment variables that the programs' sources have."""
    files = [
        path for each in PACKAGES for path in (ROOT / each).rglob("*") if path.suffix in {".py", ".sh"}
    ]
    found = {name for path in files for name in VARIABLE.findall(path.read_text())}
    return {name.rstrip("_") for name in found if not CHOSEN.match(name)}


def test_every_variable_stands_in_the_page_of_the_configuration() -> None:
    said = set(re.findall(r"`(DSMT_[A-Z_]*[A-Z])", (DOCS / "reference/configuration.md").read_text()))
    assert variables() - said == set()
    assert said - variables() == set()


def test_every_program_has_its_options_in_the_reference() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    # dsmtc has a page of its own; a sliver begins its agent by itself.
    assert set(scripts) - set(PROGRAMS) == {"dsmtc", "dsmt-agent"}


def test_every_verb_of_the_planner_is_told_of() -> None:
    module, told = PROGRAMS["dsmt-planner"]
    assert set(leaves(get_command(importlib.import_module(module).app))) <= set(told)


def leaves(command: Any, name: str = "") -> Iterator[str]:
    below = getattr(command, "commands", {})
    if not below:
        yield name
    for word, each in below.items():
        yield from leaves(each, f"{name} {word}".strip())


def errors() -> list[type[DsmtError]]:
    for package in (dsmt_core, dsmtc):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found, new = {DsmtError}, [DsmtError]
    while new:
        new = [each for kind in new for each in kind.__subclasses__() if each not in found]
        found |= set(new)
    return sorted((kind for kind in found if not kind.__module__.startswith("test")), key=str)


def test_every_code_and_exit_code_stands_in_the_table_of_errors() -> None:
    rows = re.findall(
        r"^\| (\d+) \|[^|]*\| `(\w+)` \|", (DOCS / "reference/errors.md").read_text(), re.MULTILINE
    )
    said = {(int(number), code) for number, code in rows}
    assert {(kind.exit_code, kind.code) for kind in errors()} <= said


def test_every_channel_and_field_that_a_part_uses_is_in_the_page_of_the_channels() -> None:
    page = channels()
    for part in PARTS:
        for use in part.uses:
            assert f"`{use.channel}`" in page
            assert not use.field or f"`{use.field}`" in page


def test_every_page_can_be_reached_by_the_navigation() -> None:
    shown = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "adr" not in path.parts}
    assert pages - shown == set()


def test_no_page_names_a_place_of_one_machine() -> None:
    wrong = re.compile(r"/tmp/|/home/\w|/root/")
    pages = [ROOT / "README.md", *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in pages
        for match in wrong.finditer(path.read_text())
    ]
    assert found == []
