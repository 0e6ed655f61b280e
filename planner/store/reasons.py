"""Reasons of passages: each text is kept once, however often it is one, and only so many of them.

A text that was a reason for nothing since what is forgotten is forgotten, too: the state that stays of a
part longer than that stays without its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from planner.past.passages import Passage
from planner.store.past_table import REASONS

MOST: Final = 100_000
"""So many texts: who makes up a new one each second fills 50 MB, and then is not quoted any more."""
_PORTION: Final = 500


def numbered(connection: Connection, passages: Iterable[Passage]) -> dict[str, int]:
    """The numbers of the reasons of passages that are to be written; of those that are too many, none."""
    last: dict[str, float] = {}
    for one in passages:
        if one.reason:
            last[one.reason] = max(one.at, last.get(one.reason, 0.0))
    if not last:
        return {}
    found = _found(connection, list(last))
    if found:
        connection.execute(
            update(REASONS).where(REASONS.c.number == bindparam("of")).values(last=bindparam("at")),
            [{"of": number, "at": last[text]} for text, number in found.items()],
        )
    new = [text for text in last if text not in found]
    if new:
        count = connection.execute(select(func.count()).select_from(REASONS)).scalar_one()
        if room := new[: max(MOST - count, 0)]:
            connection.execute(insert(REASONS), [{"text": text, "last": last[text]} for text in room])
            found |= _found(connection, room)
    return found


def prune(connection: Connection, before: float) -> None:
    """Forget the texts that were no reason since a moment."""
    connection.execute(delete(REASONS).where(REASONS.c.last < before))


def _found(connection: Connection, texts: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for first in range(0, len(texts), _PORTION):
        some = texts[first : first + _PORTION]
        asked = select(REASONS.c.text, REASONS.c.number).where(REASONS.c.text.in_(some))
        found |= {row.text: row.number for row in connection.execute(asked)}
    return found
