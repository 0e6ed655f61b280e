"""``python -m tests.mutants.noticed_by_types mypy ARGUMENT…``: what mypy says inside mutants.

What it says elsewhere is about the functions that mutmut writes around them, and of no interest.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path


def main() -> int:
    """Run from the command line; the exit code is always 0."""
    checked = subprocess.run(
        [sys.executable, "-m", *sys.argv[1:]], check=False, capture_output=True, text=True
    )
    for line in checked.stdout.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("severity") == "error" and _in_mutant(told["file"], told["line"]):
            sys.stdout.write(line + "\n")
    return 0


def _in_mutant(file: str, line: int) -> bool:
    return any(first <= line <= last for first, last in _mutants(file))


@cache
def _mutants(file: str) -> tuple[tuple[int, int], ...]:
    """The first and last lines of the mutants in a file."""
    tree = ast.parse(Path(file).read_text())
    return tuple(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name and node.name[-1].isdigit()
    )


if __name__ == "__main__":
    sys.exit(main())
