"""How far the clock of each node is from the planner's, as far as its heartbeats tell it.

A heartbeat that waited on its way looks like one of a clock that is behind. What waited comes together and
was sent one after the other, so only what two in a row agree on is believed.
"""

from __future__ import annotations

from typing import Final

from dsmt_core.names import Host

AGREE_S: Final = 1.0


class Clocks:
    """What is known of the clocks of nodes; all in seconds, above 0 when the node's is ahead."""

    def __init__(self) -> None:
        self._last: dict[Host, float] = {}
        self._off: dict[Host, float] = {}

    def heard(self, host: Host, ahead: float) -> None:
        """A heartbeat was sent so long after it was heard, by the clocks of node and planner."""
        before = self._last.get(host)
        self._last[host] = ahead
        # What is not a number agrees with nothing.
        if before is not None and abs(before - ahead) <= AGREE_S:
            self._off[host] = ahead

    def drop(self, host: Host) -> None:
        """A node was forgotten."""
        self._last.pop(host, None)
        self._off.pop(host, None)

    def off(self, host: Host) -> float | None:
        """How far the clock of a node is ahead of the planner's (behind: below 0); None: not known."""
        return self._off.get(host)
