"""Counting what checks say, so that one bad answer ends nothing and a flapping application stays failed.

Rules: a failure counts once so many checks in a row say so, health likewise; an application that failed
more often than its watch allows within the window is neither called running nor started again before the
oldest of these failures has left the window. How often it failed is forgotten with the agent's process:
`Record.failures`, which is kept, slows the attempts of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dsmt_core.watch import Watch


@dataclass(slots=True)
class Damping:
    """What was counted of one application.

    Attributes:
        ills, wells: checks in a row that said so.
        failed_at: when it failed, within the window; seconds of the agent's clock, ascending.
    """

    ills: int = 0
    wells: int = 0
    failed_at: list[float] = field(default_factory=list)

    def anew(self) -> None:
        """What was counted in a row counts no more: it was started, or is watched in another way."""
        self.ills = self.wells = 0

    def ill(self, watch: Watch) -> bool:
        """A check says that it is ill; whether that is enough to call it failed."""
        self.wells = 0
        self.ills = min(self.ills + 1, watch.failures)
        return self.ills >= watch.failures

    def well(self, watch: Watch) -> bool:
        """A check says that it is well; whether that is enough to call it running."""
        self.ills = 0
        self.wells = min(self.wells + 1, watch.successes)
        return self.wells >= watch.successes

    def failed(self, now: float, watch: Watch) -> None:
        """It has failed."""
        self.ills = self.wells = 0
        if watch.restarts:
            # One more than allowed tells all that there is to know.
            self.failed_at = [*self._recent(now, watch), now][-watch.restarts - 1 :]

    def held_until(self, now: float, watch: Watch) -> float:
        """When it may be started, or called running, again; 0: now."""
        recent = self._recent(now, watch)
        if not watch.restarts or len(recent) <= watch.restarts:
            return 0.0
        return recent[-watch.restarts - 1] + watch.within_s

    def _recent(self, now: float, watch: Watch) -> list[float]:
        return [at for at in self.failed_at if now - at < watch.within_s]
