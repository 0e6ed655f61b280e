"""What an operator reads in the morning: each slice in a line, and what is not well below it.

    DSMT_TOKEN=… python examples/fleet_report.py [PLANNER]

Shows the SDK (`dsmtc.client`): typed, synchronous, everything that the command line can do. A program logs
in with a token of its own (`dsmtc account token make NAME`), or with an account and its password.
"""

from __future__ import annotations

import os
import sys

from dsmt_core.errors import DsmtError
from dsmtc.client import DEFAULT_PLANNER, Client, Credentials, HostStatus


def report(client: Client) -> list[str]:
    """The report, a line each."""
    lines: list[str] = []
    for each in client.slices():
        status = client.status(each["slice"])
        counts = f"{status['running']} of {status['wanted']} run"
        lines.append(f"{status['slice']}: {counts}, plan {status['plan'] or 'none'}")
        lines += [line for host in status["hosts"] for line in unwell(host)]
        lines += [f"  waits: {reason}" for reason in status["waiting_reasons"]]
        lines += unanswering(client, each["slice"]) if status["hosts"] else []
    return lines


def unwell(host: HostStatus) -> list[str]:
    """What is not as it should be on a host."""
    name = host["host"]
    lines = [f"  {name} is {host['node_state']}: {host['reason']}"] if host["node_state"] != "alive" else []
    ill = [one for one in host["applications"] if one["state"] != "running"]
    return lines + [f"  {one['application']} on {name} is {one['state']}: {one['reason']}" for one in ill]


def unanswering(client: Client, slice_: str) -> list[str]:
    """Who does not answer now, asked at this moment."""
    try:
        answers = list(client.ping(slice_, within_s=2.0))
    except DsmtError as error:
        return [f"  nobody of {slice_} can be asked: {error}"]
    return [f"  {one['host']} did not answer: {one['trouble']}" for one in answers if "trouble" in one]


def main() -> int:
    """Print the report; exit code 1 when something is not well."""
    token, account = os.environ.get("DSMT_TOKEN", ""), os.environ.get("DSMT_ACCOUNT", "")
    credentials = Credentials(account, os.environ.get("DSMT_PASSWORD", ""), token=token)
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("DSMT_PLANNER", DEFAULT_PLANNER)
    with Client(url, credentials) as client:
        lines = report(client)
    print("\n".join(lines))
    return int(any(line.startswith("  ") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
