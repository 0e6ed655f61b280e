"""Which events are news of a present life: no doubles, and nothing late from a life that has ended.

A sequence number orders one life of an instance; between lives only the sender's own clock can. It is
believed within the time that an event may be under way; a clock that was set back by more does not wedge.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from dsmt_core.events import DELIVERY_TTL_S, Event

_LIMIT: Final = 100_000


class Lives:
    """Remembers for each instance which life it is in; the instance heard least recently is forgotten."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._last: OrderedDict[str, tuple[str, int, float]] = OrderedDict()

    def refusal(self, event: Event) -> str:
        """Why the event is no news; empty when it is, and then it has become the last of its instance.

        One that does not say in which life of its instance it was sent has no order, and is no last one.
        """
        life = event.boot_id
        known = self._last.get(event.instance)
        if known is not None:
            boot_id, seq, sent_at = known
            if boot_id == life:
                if event.seq <= seq:
                    return "it was heard before, or is older than what was"
            elif 0 < sent_at - event.sent_at < DELIVERY_TTL_S:
                return "it is of an earlier life of its sender"
        if life:
            self._last[event.instance] = (life, event.seq, event.sent_at)
            self._last.move_to_end(event.instance)
            if len(self._last) > self._limit:
                self._last.popitem(last=False)
        return ""
