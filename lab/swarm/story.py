"""What a swarm does, told once a second on stderr, and its figures as the answer."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

import psutil

from lab.swarm.tally import Tally
from lab.swarm.trial import Trial, Usage

_EVERY_S: Final = 1.0


class Story:
    """Tells how a swarm is doing.

    Args:
        tally: of the swarm.
        trial: whose planner and broker are looked at; None when they run elsewhere.
    """

    def __init__(self, tally: Tally, trial: Trial | None = None) -> None:
        self._tally = tally
        self._trial = trial
        self._began = self._told = time.monotonic()
        self._beats = 0
        self._before: dict[str, Usage] = {}

    async def tell(self) -> None:
        """One line a second, for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            self.say(self.line())

    def say(self, text: str) -> None:
        """One line."""
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", file=sys.stderr, flush=True)

    def line(self) -> str:
        """How it is doing, since the last line."""
        tally, now = self._tally, time.monotonic()
        passed, self._told = max(now - self._told, 0.001), now
        beats, self._beats = tally.beats - self._beats, tally.beats
        parts = [
            f"joined {tally.joined}",
            f"connected {tally.connected}",
            f"running {len(tally.running)}",
            f"{beats / passed:.0f} heartbeats/s",
        ]
        if self._trial is not None:
            parts += [self._of("planner", passed), self._of("broker", passed)]
        return "  ".join(part for part in parts if part)

    def _of(self, name: str, passed: float) -> str:
        try:
            used: Usage = getattr(self._trial, name)()
        except psutil.Error:
            return f"{name} is away"
        before, self._before[name] = self._before.get(name, used), used
        return f"{name} {100 * max(used.cpu_s - before.cpu_s, 0) / passed:.0f} % {used.rss_mb:.0f} MB"
