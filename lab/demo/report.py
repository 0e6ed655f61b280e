"""The demo's figures, as measured, and the summary that prints them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


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


def rss_mb(pids: list[int], module: str) -> float | None:
    """The largest resident memory among the processes that run ``module``, MB of 10^6 bytes."""
    sizes = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            if module in process.cmdline() or any(
                word.endswith(f"/{module}") for word in process.cmdline()
            ):
                sizes.append(process.memory_info().rss)
        except psutil.Error:
            continue
    return round(max(sizes) / 1e6, 1) if sizes else None


def eldest(pids: list[int], application: str) -> tuple[int, float] | None:
    """Pid and start time of the longest-living process among ``pids`` that belongs to ``application``.

    Status scripts come and go; what the application started stays, and is the oldest.
    """
    found = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            if process.environ().get("DSMT_APPLICATION") == application:
                found.append((process.create_time(), pid))
        except psutil.Error:
            continue
    return (min(found)[1], min(found)[0]) if found else None


def _plain(value: object) -> str:
    if value is None:
        return "not measured here"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
