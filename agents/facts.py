"""Facts of a machine, few and cheap, read from /proc: what a plan may choose nodes by."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_MIB = 1 << 20
_GIB = 1 << 30


def facts(data: Path, **more: str) -> dict[str, str]:
    """What is known of this machine, as text.

    Args:
        data: the node's directory, whose disk counts.
        more: further facts that the caller knows.
    """
    disk = os.statvfs(data)
    known = {
        "cpus": str(len(os.sched_getaffinity(0))),
        "memory_mb": str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB),
        "disk_free_gb": str(disk.f_bavail * disk.f_frsize // _GIB),
        "load1": f"{os.getloadavg()[0]:.1f}",
        "kernel": os.uname().release,
        "architecture": os.uname().machine,
        "dsmt_version": dsmt_version(),
    }
    return known | more


def differ(before: dict[str, str], after: dict[str, str]) -> bool:
    """Whether something changed that is worth an event; the load alone is not."""
    return {**before, "load1": ""} != {**after, "load1": ""}


def dsmt_version() -> str:
    """The version of DSMT that runs here."""
    try:
        return version("dsmt")
    except PackageNotFoundError:
        return "unknown"
