"""A process with many descriptors: whatever is opened in it next has a number beyond 1023."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

# What select() can be asked about.
_KNOWN: Final = 1024
_ROOM: Final = 4 * _KNOWN


@contextmanager
def many_descriptors() -> Iterator[None]:
    """Inside, all that `select` knows are taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as ends:
        if soft < _ROOM:
            resource.setrlimit(resource.RLIMIT_NOFILE, (_ROOM, hard))
            ends.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(_KNOWN):
            ends.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        yield
