"""What the tracker answers, and where its luck comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from dsmt_core.names import Host
from planner.fleet.seen import NodeState


@dataclass(frozen=True, slots=True)
class Verdict:
    """A node is judged anew.

    Attributes:
        reason: a plain sentence, such as ``not heard for 3.2 s``.
    """

    host: Host
    before: NodeState
    state: NodeState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a node is judged, for people.

    Attributes:
        state: the judgement.
        since: of when it is, seconds.
        failures: how often it failed, less what is forgiven.
        out_until: its probation does not end before; 0 where it is on none.
        probed: a probe is under way.
    """

    state: NodeState = NodeState.UNKNOWN
    since: float = 0.0
    failures: int = 0
    out_until: float = 0.0
    probed: bool = False


def _counted() -> Callable[[], str]:
    numbers = count(1)
    return lambda: str(next(numbers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Where luck comes from.

    Attributes:
        draw: a random number from 0 to 1.
        nonce: a word that is never the same; for a planner one that nobody guesses.
    """

    draw: Callable[[], float] = lambda: 0.0
    nonce: Callable[[], str] = field(default_factory=_counted)
