"""Probes: at most one at a time; the same order again is answered again, and never begins a second one.

The planner repeats an order that may have been lost. What a probe found is remembered until the next one,
so that only its answer is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsmt_core.nodes import ProbeResult


@dataclass(slots=True)
class Probes:
    """What the container manager knows of probes; nothing of it outlives its process.

    Attributes:
        running: the nonce of the one that is under way; empty when none is.
        last: how the last one went.
    """

    running: str = ""
    last: ProbeResult | None = None

    def asked(self, nonce: str) -> bool:
        """Whether this order begins a probe."""
        if not nonce or self.running or (self.last is not None and self.last.nonce == nonce):
            return False
        self.running = nonce
        return True

    def answer_again(self, nonce: str) -> ProbeResult | None:
        """The answer that was given to this order already; None when there is none."""
        return self.last if self.last is not None and self.last.nonce == nonce else None

    def done(self, result: ProbeResult) -> None:
        """The probe that was under way has ended."""
        self.running, self.last = "", result
