"""``python -m tests.dependencies``: whether something that DSMT uses has a known hole (pip-audit).

It asks the advisory service for the packages of this environment, so it needs the network, and is no part
of ``make test``. That nothing was found counts only for what could be looked up: the rest is said.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

COMMAND: Final = (
    sys.executable,
    *("-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
    *("--timeout", "15", "--skip-editable"),
)
_WITHIN_S: Final = 900
_SHOWN: Final = 5
CLEAN, HOLES, UNKNOWN = 0, 1, 5


@dataclass(frozen=True, slots=True)
class Found:
    """What an audit says.

    Attributes:
        holes: lines, one a known hole.
        checked: how many packages were looked up.
        unknown: those of which nothing is known.
    """

    holes: tuple[str, ...]
    checked: int
    unknown: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code: a hole counts first; where nothing could be looked up, nothing is known."""
        if self.holes:
            return HOLES
        return CLEAN if self.checked else UNKNOWN

    @property
    def lines(self) -> list[str]:
        """What is said of it."""
        told = [*self.holes]
        if self.checked:
            told.append(f"{self.checked} packages were looked up, {len(self.holes)} holes are known")
        if self.unknown:
            some = ", ".join(self.unknown[:_SHOWN])
            more = f" and {len(self.unknown) - _SHOWN} more" if len(self.unknown) > _SHOWN else ""
            told.append(f"of {len(self.unknown)} packages the advisory service knows nothing: {some}{more}")
        if not self.checked:
            told.append("nothing was looked up, so nothing is known: is pypi.org reachable from here?")
        return told


def found(report: dict[str, Any]) -> Found:
    """What a report of pip-audit says."""
    holes, unknown, checked = [], [], 0
    for one in report.get("dependencies", []):
        if "skip_reason" in one:
            # DSMT itself is in no registry.
            unknown += [one["name"]] if one["name"] != "dsmt" else []
            continue
        checked += 1
        for hole in one.get("vulns", []):
            mended = ", ".join(hole.get("fix_versions", [])) or "no version"
            holes.append(f"{one['name']} {one['version']}: {hole['id']}, mended in {mended}")
    return Found(tuple(holes), checked, tuple(unknown))


def main() -> int:
    """Look, and tell; the exit code."""
    try:
        ran = subprocess.run(COMMAND, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"audit: no answer within {_WITHIN_S} s; nothing is known\n")
        return UNKNOWN
    try:
        report = found(json.loads(ran.stdout))
    except ValueError:
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        sys.stderr.write(f"audit: pip-audit could look nothing up, so nothing is known: {last[:300]}\n")
        return UNKNOWN
    sys.stdout.writelines(f"{line}\n" for line in report.lines)
    return report.code


if __name__ == "__main__":
    sys.exit(main())
