"""Branch coverage has a floor for each layer: what decides is covered almost whole.

Run after the unit tests: ``python -m tests.coverage_floors``. The floors are for unit tests alone; what
acts on the world is covered by the integration and e2e tests, whose processes are not counted.
"""

from __future__ import annotations

import subprocess
import sys

FLOORS = {
    "dsmt_core/*": 95,
    "planner/plans/*,planner/fleet*,planner/failed_nodes*,planner/placement*,planner/reconcile*": 90,
    "agents/container_manager/decide*,agents/deployment_agent/decide*": 90,
}


def main() -> int:
    """Report each layer; the exit code is 1 when one is below its floor."""
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], check=False)
    missed = []
    for include, floor in FLOORS.items():
        command = [sys.executable, "-m", "coverage", "report", f"--include={include}"]
        done = subprocess.run(
            [*command, f"--fail-under={floor}"], check=False, capture_output=True, text=True
        )
        total = done.stdout.strip().splitlines()[-1:] or ["nothing measured"]
        print(f"coverage of {include}: {total[0].split()[-1]} (floor {floor}%)")  # noqa: T201
        if done.returncode:
            missed.append(include)
            print(done.stdout)  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
