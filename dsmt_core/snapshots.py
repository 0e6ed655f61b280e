"""A snapshot over the bus: who leases a channel asks the planner for the values that hold there already.

The question is an event on `ASKED`; it names a channel of `dsmt_core.rights.SNAPSHOTS` on which nobody but
its sender listens. There the planner answers with a few events, each carrying many values as lines of
JSON: how many seconds ago it was heard, and the event (`dsmt_core.journal`). No two clocks are compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from dsmt_core.channels import Channel, channel, lies_under
from dsmt_core.errors import Denied, DsmtError, Invalid
from dsmt_core.events import Event
from dsmt_core.journal import event_of, record
from dsmt_core.last_values import Value
from dsmt_core.rights import SNAPSHOT_WORD, may_hear

FIELD: Final = "snapshot"
# An answer is at most about so long, in bytes: with the least limit for events it is sent, too.
PART_BYTES: Final = 48 << 10
_LAST: Final = "last"


class Asked(NamedTuple):
    """Which channel is asked about, and where the answer goes."""

    about: Channel
    answer: Channel


class Aged(NamedTuple):
    """A value, and how many seconds before the answer it was heard."""

    event: Event
    age: float


class Part(NamedTuple):
    """One event of an answer: its text, and whether it is the last."""

    text: str
    last: bool

    @property
    def pairs(self) -> dict[str, str]:
        """What the event says beside the text."""
        return {_LAST: "yes" if self.last else "no"}


def answers_to(user: str, word: str) -> Channel:
    """The channel for the answer to one question of ``user``; ``word`` is random, and hexadecimal."""
    return Channel("/".join(["", SNAPSHOT_WORD, *user.split("."), word, ""]))


def question(asked: Asked) -> dict[str, str]:
    """The pairs of the event that asks."""
    return {"channel": asked.about, "answer": asked.answer}


def read_question(event: Event, user: str) -> Asked:
    """What ``event`` asks.

    Args:
        event: as delivered.
        user: for whom the broker vouches.

    Raises:
        Invalid: it is no question.
        Denied: it wants the answer sent to somebody else.
    """
    asked = Asked(*(channel(event.pairs.get(name, "")) for name in ("channel", "answer")))
    word = asked.answer[1:-1].rpartition("/")[2]
    if asked.answer != answers_to(user, word):
        raise Denied(f"{user} wants an answer sent to {asked.answer}, where others listen")
    return asked


def wanted(event: Event, asked: Asked, user: str) -> bool:
    """Whether ``event`` belongs into the answer to ``user``."""
    return lies_under(event.channel, asked.about) and may_hear(user, event.channel)


def parts(values: Iterable[Value], now: float) -> Iterator[Part]:
    """The answer; a value that would not fit into an event is left out: it comes with its next repeat."""
    lines: list[str] = []
    size = 0
    for value in values:
        age = max(0.0, now - value.heard_at)
        line = json.dumps([round(age, 3), record(value.event)], ensure_ascii=False, separators=(",", ":"))
        took = len(line.encode()) + 1
        if took > PART_BYTES:
            continue
        if size + took > PART_BYTES:
            yield Part("\n".join(lines), last=False)
            lines, size = [], 0
        lines.append(line)
        size += took
    yield Part("\n".join(lines), last=True)


def read_part(event: Event) -> tuple[list[Aged], bool]:
    """The values in one event of an answer, and whether it is the last one.

    Raises:
        Invalid: it is none.
    """
    return [_read_line(line) for line in event.value.split("\n") if line], event.pairs.get(_LAST) == "yes"


def _read_line(line: str) -> Aged:
    try:
        age, fields = json.loads(line)
        if not isinstance(fields, Mapping) or not 0 <= age < math.inf:
            raise Invalid("a line of the snapshot has no event, or no age")
        return Aged(event_of(fields), float(age))
    except DsmtError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid(f"a line of the snapshot cannot be read: {error}") from error
