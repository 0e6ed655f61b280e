"""What a node has for slivers: as it was told, or most of the memory and the disk that the machine has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.limits import NO_LIMITS, Limits, changed

# The rest is for the machine itself, and for DSMT.
_SHARE: Final = 0.9


def own_capacity(data: Path | str) -> Limits:
    """Nine tenths of the machine's memory, and of the file system that ``data`` lies on.

    Processor time is not counted: it is shared by all that want some.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = os.statvfs(data)
    disk = found.f_blocks * found.f_frsize
    return Limits(memory=int(memory * _SHARE), disk=int(disk * _SHARE))


def capacity_of(text: str) -> Limits:
    """The capacity that somebody has written: ``memory=4G,disk=50G,cpu=4``.

    Raises:
        Invalid: it is none.
    """
    found = NO_LIMITS
    for word in text.split(","):
        name, _, value = word.strip().partition("=")
        if name == "network":
            raise Invalid("a network is no capacity", hint="such as memory=4G,disk=50G,cpu=4")
        found = changed(found, name, value)
    return found
