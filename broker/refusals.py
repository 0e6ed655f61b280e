"""What one process did not believe lately: told with its health, so that somebody enters it in a log.

Rule: a few different ones with how often they came, and of all others the number. However much is sent to
a process, what it tells of that stays small, and who makes much noise does not drown who made none.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from broker.reading import Message
from dsmt_core.health import Refused, told_refusals

# Different ones between two tellings (`dsmt_core.health.LOOK_S`): more could be made up at will.
# One less than are read: the last tells how many others there were.
_KINDS: Final = 7
_NUMBERS: Final = re.compile(r"\d+(\.\d+)?")


class Refusals:
    """Those since they were taken last."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], Refused] = {}
        self._others = 0

    def note(self, message: Message, reason: str) -> None:
        """Take one in; how old or how long something is makes no other kind."""
        key = message.routing_key if isinstance(message.routing_key, str) else "undecodable"
        kind = (message.user_id, message.exchange, key, _NUMBERS.sub("N", reason))
        known = self._kinds.get(kind)
        if known is not None:
            self._kinds[kind] = known.again()
        elif self._has_room(message.user_id):
            self._kinds[kind] = Refused.of(
                user=message.user_id, exchange=message.exchange, at=key, reason=reason
            )
        else:
            self._others += 1

    def _has_room(self, user: str) -> bool:
        """Whether one more may be told; for a user of whom nothing is told the loudest other makes room."""
        if len(self._kinds) < _KINDS:
            return True
        said = Counter(by for by, *_ in self._kinds)
        loudest, times = said.most_common(1)[0]
        if user in said or times == 1:
            return False
        last = next(kind for kind in reversed(self._kinds) if kind[0] == loudest)
        self._others += self._kinds.pop(last).times
        return True

    def take(self) -> str:
        """What is told of them, and begin anew; empty for none."""
        text = told_refusals(list(self._kinds.values()), self._others)
        self._kinds, self._others = {}, 0
        return text
