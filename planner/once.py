"""Each event once: a publisher that did not hear the confirm sends again, and the history has it twice.

Decides only. `dsmt_core.events.Doubles` keeps one number for an instance, which is enough for whoever hears
all of it, in order. A replay hears a part, and begins anywhere: here each event is known by itself, for as
long as a second copy may lie behind the first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from dsmt_core.events import Event

# A publisher has at most 1,000 unconfirmed (`broker.bus.Limits`), and many may lose their broker at once.
_REMEMBERED: Final = 20_000


class Once:
    """Knows the last events.

    Args:
        limit: how many.
    """

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, str, int] | str, None] = OrderedDict()

    def is_new(self, event: Event) -> bool:
        """Whether ``event`` was not among the last; from now on it is."""
        # One without a life has no order, and is known by its id; without one it may be anything.
        name = (event.instance, event.boot_id, event.seq) if event.boot_id else event.id
        if not name:
            return True
        if name in self._known:
            return False
        self._known[name] = None
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return True
