"""A copy of the project in which each function of a room stands beside its mutants.

mutmut makes the mutants and the switch between them, which is turned at run time. mypy is asked once for
all mutants of a room: it is one of the checks of the project, so what it notices was noticed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path, PurePath
from typing import Final

from mutmut.mutation.data import LineSpan
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

from tests.mutants.rooms import Room

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / "build" / "mutants"
# What is copied: all that the tests import or read, and the settings of pytest.
_COPIED: Final = (
    "dsmt_core",
    "broker",
    "planner",
    "agents",
    "depot",
    "dsmtc",
    "lab",
    "tests",
    "docs",
    "pyproject.toml",
)
_SETTINGS: Final = '\n[tool.mutmut]\nsource_paths = ["."]\n'


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault.

    Attributes:
        name: as mutmut calls it: the module, the function, and a number.
        module: the file that it is in.
        first: the first line of the mutated function in the copy.
        last: its last line.
        change: the lines that it lacks, with ``-``, and those that it has instead, with ``+``.
    """

    name: str
    module: str
    first: int
    last: int
    change: tuple[str, ...]

    @property
    def function(self) -> str:
        """What was mutated, as the switch names it."""
        return mangled_name_from_mutant_name(self.name)


def mutated(work: Path, room: Room) -> tuple[Mutant, ...]:
    """Make the copy in a directory, and in it all mutants of a room."""
    modules = _copied(work, room)
    with chdir(work):
        return tuple(mutant for module in modules for mutant in _mutants(Path(module)))


def _mutants(module: Path) -> Iterator[Mutant]:
    made = mutate_file_contents(str(module), module.read_text())
    module.write_text(made.code)
    lines, spans = made.code.splitlines(), made.line_span_by_function_name
    for name in made.mutant_names:
        original, span = f"{mangled_name_from_mutant_name(name)}__mutmut_orig", spans[name]
        before, after = (_body(lines, spans[one], one) for one in (original, name))
        told = tuple(line for line in ndiff(before, after) if line[:2] in {"- ", "+ "})
        yield Mutant(get_mutant_name(module, name), str(module), span.start, span.end, told)


def _body(lines: Sequence[str], span: LineSpan, name: str) -> list[str]:
    """The lines of a function, without what it is called in the copy."""
    return [line for line in lines[span.start - 1 : span.end] if name not in line]


def noticed_by_types(work: Path, mutants: Sequence[Mutant]) -> frozenset[str]:
    """The names of those mutants inside which mypy finds an error.

    What it says elsewhere is about the functions that mutmut writes around them, and of no interest.
    """
    packages = sorted({mutant.module.partition("/")[0] for mutant in mutants})
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--output=json", f"--cache-dir={WORK / 'mypy'}", *packages],
        cwd=work,
        check=False,
        capture_output=True,
        text=True,
    )
    told = [json.loads(line) for line in checked.stdout.splitlines() if line.startswith("{")]
    wrong = {(error["file"], error["line"]) for error in told if error["severity"] == "error"}
    return frozenset(
        mutant.name
        for mutant in mutants
        if any((mutant.module, line) in wrong for line in range(mutant.first, mutant.last + 1))
    )


def _copied(work: Path, room: Room) -> list[str]:
    """Copy what git knows; the files of the room."""
    shutil.rmtree(work, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *_COPIED],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    for name in names:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, work / name)
    with (work / "pyproject.toml").open("a") as settings:
        settings.write(_SETTINGS)
    return [name for name in names if any(PurePath(name).match(pattern) for pattern in room.modules)]
