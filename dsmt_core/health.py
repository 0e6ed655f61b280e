"""How a process of DSMT is doing: what it tells as an event of field ``health``, and when.

Rule: a change that matters is told at once, everything else rests until the period is over, so that the
health of ten thousand nodes is no storm. Counters only grow within a life of the process; whoever hears
them compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.events import legal_text

HEALTH: Final = "health"
# A tenth of what an idle agent with one application says anyway (status and holdings, each 60 s).
PERIOD_S: Final = 300.0
# How often a process looks at itself; between two looks its loop's lag is measured.
LOOK_S: Final = 5.0
# An event loop that is later than this keeps what waits for it waiting noticeably.
LATE_S: Final = 1.0
CONNECTED: Final = "connected"

REFUSALS: Final = "refusals"
_WORDS: Final = ("user", "exchange", "at", "reason")
# Of one refusal: a routing key has 255 bytes at most, and a reason that is longer says no more.
_WORD_LENGTH: Final = 255
_REFUSALS_BYTES: Final = 16 << 10
_MOST_REFUSALS: Final = 8
_COUNTED: Final = ("connects", "dropped", "refused", "lost")
_MOST: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a process is doing, summed up over its connections.

    Attributes:
        link: how the connection to the broker stands (`broker.bus.Link`).
        connects: how often it was made.
        unconfirmed: events sent and not yet confirmed.
        outbox: events that wait for the broker.
        dropped: events that were given up because the outbox was full.
        refused: deliveries that were not believed.
        lost: deliveries that a slow reader lost.
        lag_s: how late the event loop was at worst since it was last told, seconds.
        refusals: what was not believed since it was last told (`read_refusals`); empty for nothing.
    """

    link: str = CONNECTED
    connects: int = 0
    unconfirmed: int = 0
    outbox: int = 0
    dropped: int = 0
    refused: int = 0
    lost: int = 0
    lag_s: float = 0.0
    refusals: str = ""


_COUNTS: Final = tuple(
    known.name for known in fields(Condition) if known.name not in {"link", "lag_s", REFUSALS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was not believed, and how often it came.

    Attributes:
        user: who said it, as the broker vouches; whoever hears this has only the teller's word for it.
        exchange, at: where, and with which routing key.
        reason: why not; empty for all those that are only counted.
        times: how often.
    """

    user: str = ""
    exchange: str = ""
    at: str = ""
    reason: str = ""
    times: int = 1

    @classmethod
    def of(cls, *, user: str, exchange: str, at: str, reason: str) -> Refused:
        """One, in words that an event may carry."""
        return cls(user=_told(user), exchange=_told(exchange), at=_told(at), reason=_told(reason))

    def again(self) -> Refused:
        """The same, once more."""
        return replace(self, times=self.times + 1)


def health_pairs(condition: Condition) -> dict[str, str]:
    """The attribute pairs in which a process tells its health."""
    counts = {name: str(getattr(condition, name)) for name in _COUNTS}
    told = {REFUSALS: condition.refusals} if condition.refusals else {}
    return {"link": condition.link, **counts, "lag": f"{condition.lag_s:.3f}", **told}


def told_refusals(kinds: Sequence[Refused], others: int) -> str:
    """What the pair ``refusals`` says; empty for none.

    Args:
        kinds: few.
        others: how many more came.
    """
    if others:
        kinds = [*kinds, Refused(times=others)]
    lines = [[one.times, *(getattr(one, word) for word in _WORDS)] for one in kinds]
    return json.dumps(lines, separators=(",", ":")) if lines else ""


def _told(word: str) -> str:
    return legal_text(word)[:_WORD_LENGTH]


def read_refusals(text: str) -> list[Refused]:
    """The inverse of `told_refusals`; of what cannot be read nothing is left."""
    if not text or len(text) > _REFUSALS_BYTES:
        return []
    try:
        return [_refused(line) for line in json.loads(text)[:_MOST_REFUSALS]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _refused(line: object) -> Refused:
    match line:
        case [int() as times, str() as user, str() as exchange, str() as at, str() as reason]:
            said = Refused.of(user=user, exchange=exchange, at=at, reason=reason)
            return replace(said, times=max(1, min(times, _MOST)))
    raise ValueError("it is no refusal")


def read_health(pairs: Mapping[str, str]) -> Condition:
    """The inverse of `health_pairs`; a count that is not told is 0.

    Raises:
        Invalid: a count or the lag is not legal.
    """
    counts = {name: _count(name, pairs.get(name, "0")) for name in _COUNTS}
    return Condition(
        link=pairs.get("link", "")[:20],
        lag_s=_lag(pairs.get("lag", "0")),
        refusals=pairs.get(REFUSALS, "")[:_REFUSALS_BYTES],
        **counts,
    )


def matters(before: Condition, now: Condition) -> bool:
    """Whether what has changed is worth an event at once.

    Events that wait or are unconfirmed for a moment are what a bus is for; they are told with the rest.
    """
    return (
        before.link != now.link
        or (before.lag_s > LATE_S) != (now.lag_s > LATE_S)
        or any(getattr(before, name) != getattr(now, name) for name in _COUNTED)
    )


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Invalid(f"its {name} {text[:40]!r} is not a count")
    return int(text)


def _lag(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < _MOST:
        raise Invalid(f"its lag {text[:40]!r} is not a number of seconds")
    return seconds
