"""What a swarm counts: how far its nodes are, and when each application was last seen to begin to run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from dsmt_core.names import Application, Host, Slice

Place = tuple[Host, Slice, Application]


@dataclass(slots=True)
class Tally:
    """Changed by the parts, read by whoever reports.

    Attributes:
        joined, connected: nodes.
        running: the applications that run, and since when (seconds of the monotonic clock).
        started: how often each was started.
        beats: heartbeats until now.
    """

    joined: int = 0
    connected: int = 0
    running: dict[Place, float] = field(default_factory=dict)
    started: dict[Place, int] = field(default_factory=dict)
    beats: int = 0

    def begins(self, place: Place) -> None:
        """An application begins to run."""
        self.running[place] = time.monotonic()
        self.started[place] = self.started.get(place, 0) + 1

    def ends(self, place: Place) -> None:
        """It does not run any more."""
        self.running.pop(place, None)
