"""What can be seen of processes from outside: which module one runs, its memory, its application."""

from __future__ import annotations

import contextlib
from typing import Final

import psutil

from agents.sliver_init.inside import NAME

AGENT: Final = "agents.deployment_agent.main"


def rss_mb(pids: list[int], module: str) -> float | None:
    """The largest resident memory among the processes that run ``module``, MB of 10^6 bytes."""
    sizes = []
    for pid in running_module(pids, module):
        with contextlib.suppress(psutil.Error):
            sizes.append(psutil.Process(pid).memory_info().rss)
    return round(max(sizes) / 1e6, 1) if sizes else None


def running_module(pids: list[int], module: str) -> list[int]:
    """The processes among ``pids`` that are a Python running ``module``: by ``-m``, by ``-c``, or by name.

    A deployment agent is a fork of its sliver's init and has its command line; its name is its own.
    """
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            words = process.cmdline()
            named = process.name() == NAME and module == AGENT
            starts = (
                words[1:3] == ["-m", module]
                or named
                or (words[1:3] == ["-I", "-c"] and f"from {module} import" in words[3])
            )
            if starts:
                found.append(pid)
    return found


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
