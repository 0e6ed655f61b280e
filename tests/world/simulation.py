"""A clock, a network and luck, all from one seed: the same seed is the same run, step by step.

While faults last, the network loses, doubles and delays (and so reorders) whatever it carries, and hosts
can be cut off; afterwards it is quick and faithful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

from dsmt_core.names import Host

Call = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How bad the network is while faults last: shares of messages, and seconds."""

    loss: float = 0.1
    doubling: float = 0.1
    straggling: float = 0.05
    delay_s: float = 0.1
    straggle_s: float = 6.0


class Simulation:
    """Time goes from one planned call to the next; nothing else moves."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.now = 1_000.0
        self.luck = Random(seed)  # noqa: S311 - the same seed has to be the same run
        self.faulty = True
        self.steps = 0
        self.cut: set[Host] = set()
        self._weather = weather or Weather()
        self._calls: list[tuple[float, int, Call]] = []
        self._count = 0

    def after(self, seconds: float, call: Call) -> None:
        """Have ``call`` made later."""
        self._count += 1
        heappush(self._calls, (self.now + seconds, self._count, call))

    def run(self, until: float, check: Call) -> None:
        """Make all calls up to a time; ``check`` after each."""
        while self._calls and self._calls[0][0] <= until:
            self.now, _, call = heappop(self._calls)
            self.steps += 1
            call()
            check()
        self.now = until

    def send(self, host: Host, deliver: Call) -> None:
        """A message from or to a host."""
        if host in self.cut or (self.faulty and self.chance(self._weather.loss)):
            return
        for _ in range(2 if self.faulty and self.chance(self._weather.doubling) else 1):
            self.after(self._delay(), lambda: None if host in self.cut else deliver())

    def chance(self, share: float) -> bool:
        """Whether something with this probability happens."""
        return self.luck.random() < share

    def work_s(self, *, slow: bool = False) -> float:
        """How long a step takes; what ends something may take its time while faults last."""
        return self.luck.uniform(0.001, 4.0 if slow and self.faulty else 0.1)

    def _delay(self) -> float:
        if not self.faulty:
            return 0.005
        if self.chance(self._weather.straggling):
            return self.luck.uniform(0.0, self._weather.straggle_s)
        return self.luck.uniform(0.0, self._weather.delay_s)
