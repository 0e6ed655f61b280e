"""Which events are news of a present life: no doubles, and nothing late from a life that has ended.

A sequence number orders one life of an instance; between lives only the sender's own clock can. It is
believed within the time that an event may be under way; a clock that was set back by more does not wedge.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from dsmt_core.events import DELIVERY_TTL_S, Doubles, Event

_LIMIT: Final = 100_000


class Lives:
    """Remembers for each instance which life it is in; the instance heard least recently is forgotten."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._doubles = Doubles(limit)
        self._limit = limit
        self._last: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def refusal(self, event: Event) -> str:
        """Why the event is no news; empty when it is, and then it has become the last of its instance."""
        boot_id, sent_at = self._last.get(event.instance, ("", 0.0))
        if boot_id not in {"", event.boot_id} and 0 < sent_at - event.sent_at < DELIVERY_TTL_S:
            return "it is of an earlier life of its sender"
        if not self._doubles.is_new(event):
            return "it was heard before, or is older than what was"
        self._last[event.instance] = (event.boot_id, event.sent_at)
        self._last.move_to_end(event.instance)
        if len(self._last) > self._limit:
            self._last.popitem(last=False)
        return ""
