"""Ends the slivers of an embedded scene when its process is gone, by whatever death.

``python -m lab.sweeper HOME`` waits for the end of its standard input, a pipe from the scene; then it kills
what the nodes below HOME have recorded as running.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from agents.container_manager.slivers import record


def sliver_processes(node: Path) -> Iterator[psutil.Process]:
    """The inits that a node has recorded and that still run, each with what descends from it."""
    for directory in node.glob("slivers/*"):
        init = record.load(directory / "init.json")
        if init is not None and record.record_of(init.pid) == init:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(init.pid)
                yield from [process, *process.children(recursive=True)]


def sweep(home: Path) -> None:
    """Kill everything in the slivers of all nodes below ``home``."""
    for node in home.iterdir():
        for process in sliver_processes(node):
            with contextlib.suppress(psutil.Error):
                process.kill()


def main(home: Path) -> None:
    """Wait, then sweep."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
