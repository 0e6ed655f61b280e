"""How long the tracker waits for what, and how that grows with each failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Beyond this many doublings every bound is reached.
_DOUBLINGS: Final = 32
# A share of the wait by which it is lengthened, so that nodes that failed together do not come back as one.
# Below 1, so that the next wait is longer whatever both draw.
_JITTER: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the tracker waits for what; times in seconds.

    Attributes:
        misses: periods of silence until the verdict.
        proofs: heartbeats in a row without which no probation ends.
        out_s: how long a node stays on probation at least after its second failure; after the first one
            there is no such wait, and each further failure doubles it.
        most_out_s: the bound of that growth.
        forgives_s: each such time that a node stayed alive takes one failure off its past.
        listen_s: the least silence that is judged, where it is longer than ``misses`` periods; silence
            counts from when the tracker began to listen.
        back_s: with the broker away nodes lost it too; for so long after it is back nobody is judged, since
            the last of them comes back only then (`broker.bus.Limits`, ADR 15). Thousands come one after
            the other: each that is heard for the first time begins this time anew.
        most_back_s: nobody is spared longer for that, nor for most nodes not having been heard since.
        lag_s: a tick that comes this much after the last one was slept through: what arrived meanwhile
            may not have been read.
        probe_s: a probe that nobody answers for so long did not pass; so long after one whose failure was
            doubted the node is probed again.
        together_s: failures of probes are judged so long after they came, together.
        ask_again_s: an order to probe may be lost; so long after it the same one is given again.
        probes: how many nodes are probed at the same time.
        evidence: how many notes are kept for each node.
    """

    misses: int = 3
    proofs: int = 3
    out_s: float = 30.0
    most_out_s: float = 3600.0
    forgives_s: float = 3600.0
    listen_s: float = 0.0
    back_s: float = 15.0
    most_back_s: float = 600.0
    lag_s: float = 2.0
    probe_s: float = 90.0
    together_s: float = 5.0
    ask_again_s: float = 3.0
    probes: int = 500
    evidence: int = 20

    def out(self, failures: int, draw: float) -> float:
        """How long a node stays on probation at least, seconds.

        Args:
            failures: how often it has failed, at least 1.
            draw: a random number from 0 to 1.
        """
        if failures <= 1:
            return 0.0
        doubled = self.out_s * 2.0 ** min(failures - 2, _DOUBLINGS)
        return min(doubled * (1 + _JITTER * draw), self.most_out_s)

    def left(self, failures: int, alive_s: float) -> int:
        """What is left of a node's failures when it has been alive for so many seconds."""
        return max(0, failures - int(max(alive_s, 0.0) // self.forgives_s))
