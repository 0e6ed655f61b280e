"""What can be seen of processes from outside: which module one runs, its memory, its application."""

from __future__ import annotations

import contextlib

import psutil


def rss_mb(pids: list[int], module: str) -> float | None:
    """The largest resident memory among the processes that run ``module``, MB of 10^6 bytes."""
    sizes = []
    for pid in running_module(pids, module):
        with contextlib.suppress(psutil.Error):
            sizes.append(psutil.Process(pid).memory_info().rss)
    return round(max(sizes) / 1e6, 1) if sizes else None


def running_module(pids: list[int], module: str) -> list[int]:
    """The processes among ``pids`` that are a Python running ``module`` (by ``-m``, or by ``-c``)."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            words = psutil.Process(pid).cmdline()
            starts = words[1:3] == ["-m", module] or (
                words[1:3] == ["-I", "-c"] and f"from {module} import" in words[3]
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
