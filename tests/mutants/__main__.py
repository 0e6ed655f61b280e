"""``python -m tests.mutants [ROOM …]``: put small faults into rooms of deciding modules.

mutmut makes the mutants; they are tried in a copy below ``build/mutants``. A table goes to stderr, a line
for each room: how many were noticed by types, by a failing test, by a time-out, and by nothing. One JSON
object goes to stdout: besides, for each module, which survived.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.mutants.mutating import WORK, Mutant, mutated, noticed_by_types
from tests.mutants.rooms import ROOMS, Room

# As many as this of a room may survive.
MOST: Final = 0.10

_ENDINGS: Final = ("types", "killed", "timeout", "survived")
_COLUMNS: Final = ("room", "mutants", *_ENDINGS, "share", "seconds")


def main() -> int:
    """Run from the command line; the exit code is 1 when a tenth of a room's mutants or more survive."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}; none: all")
    parser.add_argument("--survivors", action="store_true", help="show what was changed in each survivor")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="how many are tried at a time")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - ROOMS.keys():
        parser.error(f"there is no room {min(unknown)}; there is {', '.join(ROOMS)}")
    sys.stderr.write(_row(_COLUMNS))
    rooms = {}
    for name in asked.rooms or ROOMS:
        began = time.monotonic()
        mutants = mutated(WORK / name, ROOMS[name])
        endings = _endings(WORK / name, ROOMS[name], mutants, asked.workers)
        rooms[name] = _summary(mutants, endings)
        counts = (rooms[name][column] for column in ("mutants", *_ENDINGS))
        share, seconds = f"{rooms[name]['share']:.1%}", round(time.monotonic() - began)
        sys.stderr.write(_row((name, *counts, share, seconds)))
        if asked.survivors:
            _show(mutants, endings)
    sys.stdout.write(json.dumps(rooms, indent=1) + "\n")
    return int(any(room["share"] >= MOST for room in rooms.values()))


def _endings(work: Path, room: Room, mutants: Sequence[Mutant], workers: int) -> dict[str, str]:
    """What became of each mutant: who is noticed by types is not tried."""
    noticed = noticed_by_types(work, mutants)
    left = {mutant.name: mutant.function for mutant in mutants if mutant.name not in noticed}
    told = work / "mutants.json"
    told.write_text(json.dumps({"workers": workers, "mutants": left}))
    plugins = ("tests.mutants.trying", "no:randomly", "no:cacheprovider", "no:xdist")
    options = (f"--try-mutants={told}", "--hypothesis-profile=mutants", "--capture=no", "--tb=line", "-q")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (work / "tried.log").open("w") as log:
        command = [
            sys.executable,
            "-m",
            "pytest",
            *(f"-p{name}" for name in plugins),
            *options,
            *room.tests,
        ]
        ended = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=log, check=False)
    trial = told.with_suffix(".tried")
    tried = dict(map(json.loads, trial.read_text().splitlines())) if trial.exists() else {}
    if ended.returncode or tried.keys() != left.keys():
        sys.exit(f"not all mutants were tried; what pytest said is in {log.name}")
    return dict.fromkeys(noticed, "types") | tried


def _summary(mutants: Sequence[Mutant], endings: Mapping[str, str]) -> dict[str, Any]:
    modules = {}
    for module in dict.fromkeys(mutant.module for mutant in mutants):
        within = [mutant.name for mutant in mutants if mutant.module == module]
        survivors = [name for name in within if endings[name] == "survived"]
        modules[module] = {"mutants": len(within), "survived": len(survivors), "survivors": survivors}
    counted = Counter(endings.values())
    share = round(counted["survived"] / len(mutants), 4) if mutants else 0.0
    return {
        "mutants": len(mutants),
        **{ending: counted[ending] for ending in _ENDINGS},
        "share": share,
        "modules": modules,
    }


def _row(cells: Sequence[object]) -> str:
    return f"{cells[0]:<20}" + "".join(f"{cell:>10}" for cell in cells[1:]) + "\n"


def _show(mutants: Sequence[Mutant], endings: Mapping[str, str]) -> None:
    for mutant in mutants:
        if endings[mutant.name] == "survived":
            sys.stderr.write("\n".join([mutant.name, *mutant.change, ""]))


if __name__ == "__main__":
    sys.exit(main())
