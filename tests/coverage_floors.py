"""Branch coverage has a floor for each layer: what decides is covered almost whole.

Run after the unit tests: ``python -m tests.coverage_floors``. The floors are for unit tests alone; what
acts on the world is covered by the integration and e2e tests, whose processes are not counted.
"""

from __future__ import annotations

import subprocess
import sys

DECIDES = (
    "broker/shell/lines.py",
    "planner/plans/*",
    "planner/fleet/*",
    "planner/reconcile/*",
    "planner/failed_nodes/*",
    "planner/place.py",
    "planner/silences.py",
    "planner/catalogue/*",
    "planner/audit/*",
    "planner/authority/attempts.py",
    "planner/authority/challenges.py",
    "planner/authority/ssh_signatures.py",
    "planner/authority/speaking.py",
    "planner/authority/invitations.py",
    "planner/authority/node_keys.py",
    "planner/tls/deciding.py",
    "planner/authority/rights.py",
    "planner/authority/sites.py",
    "planner/expiry.py",
    "planner/allotment.py",
    "planner/floods.py",
    "planner/checkup.py",
    "planner/quota.py",
    "planner/described.py",
    "planner/labels.py",
    "planner/facts/taking.py",
    "planner/facts/held.py",
    "agents/told_facts.py",
    "planner/placement.py",
    "planner/requirements.py",
    "planner/versions.py",
    "planner/retention.py",
    "planner/room.py",
    "depot/ranges.py",
    "planner/turns.py",
    "planner/vouched.py",
    "agents/signed_packages.py",
    "planner/release.py",
    "planner/foresight.py",
    "planner/rollout/*",
    "planner/viewer/rows.py",
    "planner/once.py",
    "agents/container_manager/decide/*",
    "agents/deployment_agent/decide/*",
)
FLOORS = {("dsmt_core/*",): 97, DECIDES: 92}


def main() -> int:
    """Report each layer; the exit code is 1 when one is below its floor."""
    missed = False
    for include, floor in FLOORS.items():
        command = [sys.executable, "-m", "coverage", "report", f"--include={','.join(include)}"]
        total = subprocess.run([*command, "--format=total"], check=False, capture_output=True, text=True)
        said = total.stdout.strip() or total.stderr.strip()
        print(f"branch coverage of {include[0]} and its layer: {said}% (floor {floor}%)")  # noqa: T201
        if not said.isdecimal() or int(said) < floor:
            missed = True
            subprocess.run(command, check=False)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
