"""The demo's figures, as measured, and the summary that prints them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class Report:
    """``build/demo/report.json``; a figure that could not be taken is null.

    Attributes:
        setplan_to_running_s: from the return of setplan to the last wanted instance `running` at the
            monitor.
        loss_to_replacement_s: from the SIGKILL of a node to its replacement's `running` at the monitor.
        container_manager_rss_mb: the largest container manager's resident memory, MB of 10^6 bytes;
            null in the embedded world, where it is a task.
        agent_rss_mb: the same for the deployment agents.
        spurious_restarts: applications on nodes that were not killed whose processes changed.
        demo_s: the whole, without set-up.
        broker: ``rabbitmq`` or ``embedded``.
        sliver_driver: what the nodes really used.
        events: how many events the monitor wrote down.
    """

    setplan_to_running_s: float | None = None
    loss_to_replacement_s: float | None = None
    container_manager_rss_mb: float | None = None
    agent_rss_mb: float | None = None
    spurious_restarts: int | None = None
    demo_s: float | None = None
    broker: str = ""
    sliver_driver: str = ""
    events: int = 0

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def lines(self) -> list[str]:
        """The figures, one a line."""
        return [f"{name:26} {_plain(value)}" for name, value in asdict(self).items()]


def _plain(value: object) -> str:
    if value is None:
        return "not measured here"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
