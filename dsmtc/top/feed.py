"""Asks the planner for the fleet, in a thread of its own; one that is away is told, and asked again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from dsmt_core.errors import DsmtError
from dsmtc.client import Client
from dsmtc.top.board import Snapshot

EVERY_S: Final = 1.0
# A fleet that takes long to tell is asked for less often: at most a fifth of the time is spent on it.
_SHARE: Final = 5.0


def follow(
    client: Client, slice_: str, shown: Callable[[Snapshot], None], trouble: Callable[[str], None]
) -> threading.Event:
    """Tell snapshots until the event that is returned is set.

    Args:
        client: the thread's alone from now on.
        slice_: the slice that is looked at; empty: the whole fleet.
        shown: told each snapshot.
        trouble: told why there is none.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            began = time.monotonic()
            try:
                status = client.status(slice_) if slice_ else None
                nodes = client.nodes()
                shown(Snapshot(client.now(), nodes, status))
            except DsmtError as error:
                trouble(error.message)
            ended.wait(max(EVERY_S, _SHARE * (time.monotonic() - began)))

    threading.Thread(target=run, daemon=True).start()
    return ended
