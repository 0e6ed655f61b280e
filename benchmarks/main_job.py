"""How long does the main job take? Plays the demo several times and takes the median of each figure.

``python -m benchmarks.main_job --json [--runs 3] [--broker auto|rabbitmq|embedded]``. The names are those
of ``build/demo/report.json``; `lab.demo.report` says what each one is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NOISY = (
    "setplan_to_running_s",
    "loss_to_replacement_s",
    "container_manager_rss_mb",
    "agent_rss_mb",
    "demo_s",
)
_RUN_S = 300


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.main_job", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--broker", default="auto")
    arguments = parser.parse_args()
    reports = [_played(arguments.broker) for _ in range(arguments.runs)]
    figures = _median(reports) | {"runs": len(reports)}
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:26} {value}")
    return 0


def _played(broker: str) -> dict[str, Any]:
    """The report of one demo, in a place of its own."""
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as home:
        place = Path(home) / "demo"
        command = [sys.executable, "-m", "lab.demo", "--broker", broker, "--home", str(place)]
        done = subprocess.run(command, check=False, timeout=_RUN_S, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"main_job: the demo failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        report: dict[str, Any] = json.loads((place / "report.json").read_text())
        return report


def _median(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of what is noisy, the worst of what must be 0, the rest as it is."""
    figures = dict(reports[-1])
    for name in NOISY:
        values = [report[name] for report in reports if report[name] is not None]
        figures[name] = round(statistics.median(values), 3) if values else None
    figures["spurious_restarts"] = max(report["spurious_restarts"] for report in reports)
    return figures


if __name__ == "__main__":
    sys.exit(main())
