"""``python -m tests.mutants [ROOM …]``: mutate rooms of deciding modules and count what no test notices.

The mutants are made and run by mutmut, in a copy below ``build/mutants``. The story goes to stderr, one
JSON object to stdout: for each module how many were made, killed and survived, and which survived.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePath
from typing import Any, Final

from tests.mutants.rooms import ROOMS, Room

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / "build" / "mutants"
# Packages that are copied; mutmut needs all that the tests import.
SOURCES: Final = ("dsmt_core", "broker", "planner", "agents", "depot", "dsmtc", "lab")
COPIED: Final = ("tests", "pyproject.toml")
MOST: Final = 0.10

# What mutmut writes of each mutant is the exit code of pytest, or one of its own; 37: mypy has noticed it.
_SURVIVED: Final = frozenset({0, 5, 33})
_UNKNOWN: Final = frozenset({None, 2})


def main() -> int:
    """Run from the command line; the exit code is 1 when more than a tenth of the mutants survive."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}; none: all")
    parser.add_argument("--survivors", action="store_true", help="show what was changed in each survivor")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - ROOMS.keys():
        parser.error(f"there is no room {min(unknown)}; there is {', '.join(ROOMS)}")
    modules: dict[str, Any] = {}
    for name in asked.rooms or ROOMS:
        sys.stderr.write(f"{name}: mutating {', '.join(ROOMS[name].modules)}\n")
        work = WORK / name
        _prepare(work, ROOMS[name])
        _run(work)
        modules |= _counted(work, ROOMS[name])
        if asked.survivors:
            _show(work, modules)
    made = sum(module["mutants"] for module in modules.values())
    survived = sum(module["survived"] for module in modules.values())
    share = survived / made if made else 0.0
    summary = {"mutants": made, "survived": survived, "share": round(share, 4), "modules": modules}
    sys.stdout.write(json.dumps(summary, indent=1) + "\n")
    return 1 if share > MOST else 0


def _prepare(work: Path, room: Room) -> None:
    """A fresh copy of what git knows, with mutmut's settings beside the project's own."""
    shutil.rmtree(work, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *SOURCES, *COPIED],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, work / name)
    with (work / "pyproject.toml").open("a") as settings:
        settings.write(_settings(room))


def _settings(room: Room) -> str:
    checked = sorted({pattern.partition("/")[0] for pattern in room.modules})
    lines = {
        "source_paths": SOURCES,
        "only_mutate": room.modules,
        "also_copy": COPIED,
        "pytest_add_cli_args": (
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "--hypothesis-profile",
            "ci",
        ),
        "pytest_add_cli_args_test_selection": room.tests,
        # mypy is one of the checks of the project: what it notices was noticed.
        "type_check_command": (
            sys.executable,
            str(ROOT / "tests" / "mutants" / "noticed_by_types.py"),
            "mypy",
            "--output=json",
            f"--cache-dir={WORK / 'mypy'}",
            *checked,
        ),
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    written = "\n".join(f"{name} = {json.dumps(value)}" for name, value in lines.items())
    return f"\n[tool.mutmut]\n{written}\n"


def _run(work: Path) -> None:
    beside = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{beside}:{environment['PATH']}"
    with (work / "mutmut.log").open("w") as log:
        command = [str(beside / "mutmut"), "run", "--max-children", "1"]
        ended = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=log, check=False)
    if ended.returncode:
        sys.exit(f"mutmut has ended with {ended.returncode}; what it said is in {log.name}")


def _counted(work: Path, room: Room) -> dict[str, Any]:
    counted: dict[str, Any] = {}
    for path in sorted((work / "mutants").rglob("*.meta")):
        module = str(path.relative_to(work / "mutants").with_suffix(""))
        if not any(PurePath(module).match(pattern) for pattern in room.modules):
            continue
        codes: dict[str, int | None] = json.loads(path.read_text())["exit_code_by_key"]
        if any(code in _UNKNOWN for code in codes.values()):
            sys.exit(
                f"not all mutants of {module} were tried; what mutmut said is in {work / 'mutmut.log'}"
            )
        kinds = Counter(code in _SURVIVED for code in codes.values())
        counted[module] = {
            "mutants": len(codes),
            "survived": kinds[True],
            "share": round(kinds[True] / len(codes), 4) if codes else 0.0,
            "survivors": sorted(name for name, code in codes.items() if code in _SURVIVED),
        }
    return counted


def _show(work: Path, modules: dict[str, Any]) -> None:
    for module in modules.values():
        for name in module["survivors"]:
            shown = subprocess.run(
                [str(Path(sys.executable).parent / "mutmut"), "show", name],
                cwd=work,
                check=False,
                capture_output=True,
                text=True,
            )
            changed = [line for line in shown.stdout.splitlines() if line[:2] in {"- ", "+ "}]
            sys.stderr.write("\n".join([name, *changed, ""]))


if __name__ == "__main__":
    sys.exit(main())
