"""A clock, a network and luck, all from one seed: the same seed is the same run, step by step.

While faults last, the network loses, doubles and delays (and so reorders) whatever it carries; hosts can be
cut off, in both directions or in one; the broker in the middle can go away, and forgets what it carried.
Afterwards all is quick and faithful.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush
from random import Random
from typing import Final

from dsmt_core.names import Host

Call = Callable[[], None]

NOBODY: Final = Host("")
# What a connection keeps for a broker that is away.
_OUTBOX: Final = 1_000


class Kind(StrEnum):
    """What a message is; each kind can be lost alone."""

    NODE_ORDER = "order to a node"
    AGENT_ORDER = "order to an agent"
    HEARTBEAT = "heartbeat"
    NODE_HOLDINGS = "holdings of a node"
    AGENT_HOLDINGS = "holdings of an agent"
    STATE = "change of state"
    STATUS = "status"
    FACTS = "facts"
    PROBE = "answer to a probe"
    HINT = "hint of the broker"
    REQUEST = "request"


# What waits in its sender's outbox while the broker is away; the rest is said again anyway.
_WAIT: Final = frozenset({Kind.NODE_HOLDINGS, Kind.STATE, Kind.FACTS, Kind.REQUEST})
# A broker confirms these, so that only its own end loses them.
_CONFIRMED: Final = frozenset({Kind.FACTS, Kind.REQUEST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How bad the network is while faults last: shares of messages, and seconds.

    Attributes:
        worse: kinds of messages with a loss of their own.
    """

    loss: float = 0.1
    doubling: float = 0.1
    straggling: float = 0.05
    delay_s: float = 0.1
    straggle_s: float = 6.0
    worse: Mapping[Kind, float] = field(default_factory=dict)


class Simulation:
    """Time goes from one planned call to the next; nothing else moves.

    Attributes:
        cut: hosts whose messages are lost in both directions.
        mute, deaf: hosts of which nobody hears; that hear nobody.
        version: raised by whatever the laws look at.
        trace: what happened, oldest first, where somebody wants to read it.
    """

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.now = 1_000.0
        self.luck = Random(seed)  # noqa: S311 - the same seed has to be the same run
        self.faulty = True
        self.steps = 0
        self.version = 0
        self.cut: set[Host] = set()
        self.mute: set[Host] = set()
        self.deaf: set[Host] = set()
        self.broker_up = True
        self.trace: deque[str] | None = None
        self._broker_life = 0
        self._outbox: deque[Call] = deque(maxlen=_OUTBOX)
        self._weather = weather or Weather()
        self._calls: list[tuple[float, int, Call]] = []
        self._count = 0

    def after(self, seconds: float, call: Call) -> None:
        """Have ``call`` made later."""
        self._count += 1
        heappush(self._calls, (self.now + seconds, self._count, call))

    def run(self, until: float, check: Call) -> None:
        """Make all calls up to a time; ``check`` after each that changed what the laws look at."""
        calls = self._calls
        while calls and calls[0][0] <= until:
            self.now, _, call = heappop(calls)
            self.steps += 1
            before = self.version
            call()
            if self.version != before:
                check()
        self.now = until

    def note(self, *words: object) -> None:
        """Something worth reading has happened."""
        if self.trace is not None:
            self.trace.append(f"{self.now - 1_000.0:9.3f} " + " ".join(map(str, words)))

    # -- the network ----------------------------------------------------------------------------------

    def from_host(self, host: Host, kind: Kind, deliver: Call) -> None:
        """A message of a host."""
        self._send(kind, deliver, lambda: host in self.cut or host in self.mute)

    def to_host(self, host: Host, kind: Kind, deliver: Call) -> None:
        """A message for a host; what is in its queue at the broker waits for it there."""
        self._send(kind, deliver, lambda: False if kind in _ORDERS else host in self.cut)

    def reaches(self, host: Host) -> bool:
        """Whether a host can fetch what waits for it at the broker."""
        return self.broker_up and host not in self.cut and host not in self.deaf

    def lose_broker(self) -> None:
        """The broker ends, and with it everything that was under way."""
        self.broker_up = False
        self._broker_life += 1

    def return_broker(self) -> None:
        """It is there again; what waited for it goes out."""
        self.broker_up = True
        waiting, self._outbox = self._outbox, deque(maxlen=_OUTBOX)
        for send in waiting:
            send()

    def _send(self, kind: Kind, deliver: Call, is_cut: Callable[[], bool]) -> None:
        if not self.broker_up:
            if kind in _WAIT:
                self._outbox.append(lambda: self._send(kind, deliver, is_cut))
            return
        weather, faulty = self._weather, self.faulty
        if is_cut() or (faulty and kind not in _CONFIRMED and self._is_lost(kind)):
            return
        life = self._broker_life

        def arrive() -> None:
            if life == self._broker_life and not is_cut():
                deliver()

        self.after(self._delay(), arrive)
        if faulty and weather.doubling and self.chance(weather.doubling):
            self.after(self._delay(), arrive)

    def _is_lost(self, kind: Kind) -> bool:
        loss = self._weather.worse.get(kind, self._weather.loss)
        return loss > 0 and self.luck.random() < loss

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


_ORDERS: Final = frozenset({Kind.NODE_ORDER, Kind.AGENT_ORDER})
