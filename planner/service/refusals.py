"""What receivers did not believe is entered in the audit log: forged orders, copies, old words.

Rule: each process tells it with its health, at most every few seconds, a few kinds at a time; of one
receiver a few entries come at once and then one in a while, and what is left out is counted in the next.
Of what the planner itself heard that is so for each user: nobody uses up the entries of others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from dsmt_core.errors import DsmtError
from dsmt_core.events import Event
from dsmt_core.health import HEALTH, REFUSALS, Refused, read_refusals
from dsmt_core.rights import CALLS, ORDERS, PLANNER
from planner.audit.quiet import Quiet
from planner.place import place_of
from planner.service.audit import Audit

ORDER: Final = "order.refused"
DELIVERY: Final = "delivery.refused"
_PENDING: Final = 1_000
_AGAIN_S: Final = 5.0
_COMMAND: Final = ".command."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    word: str
    about: str
    slice: str
    change: dict[str, object]
    reason: str


class Refusals:
    """Hears of refusals, and has them entered.

    Args:
        audit: the log.
        clock: seconds.
    """

    def __init__(self, audit: Audit, clock: Callable[[], float]) -> None:
        self._audit = audit
        self._clock = clock
        self._each = Quiet(free=20, every_s=60.0)
        self._all = Quiet(free=200, every_s=5.0)
        self._left_out = 0
        self._pending: deque[_Entry] = deque()
        self._wake = asyncio.Event()

    def hearing(self, answers: Callable[[Event], bool]) -> Callable[[Event], bool]:
        """``answers``, with the refusals noted on the way."""

        def heard(event: Event) -> bool:
            if event.field == HEALTH and REFUSALS in event.pairs:
                place = place_of(event)
                self.told(f"node/{place.host}", place.slice, event.pairs)
            return answers(event)

        return heard

    def own(self, pairs: Mapping[str, str]) -> None:
        """What the planner itself did not believe."""
        self.told(PLANNER, "", pairs)

    def told(self, about: str, slice_: str, pairs: Mapping[str, str]) -> None:
        """Take in what a process tells of itself."""
        for refused in read_refusals(pairs.get(REFUSALS, "")):
            self._note(about, slice_, refused)

    async def run(self) -> None:
        """Enter what was noted, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                await self._enter(self._pending[0])
                self._pending.popleft()

    def _note(self, about: str, slice_: str, refused: Refused) -> None:
        now = self._clock()
        full = len(self._pending) >= _PENDING
        # For whom the broker vouches is the planner's own knowledge; what others tell of it is their word.
        of = f"{about} {slice_} {refused.user if about == PLANNER else ''}"
        if full or self._each.tell(of, now) is None or self._all.tell("", now) is None:
            self._left_out += refused.times
            return
        change: dict[str, object] = {
            "user": refused.user,
            "exchange": refused.exchange,
            "at": refused.at,
            "times": refused.times,
        }
        if self._left_out:
            change["left_out_before"] = self._left_out
            self._left_out = 0
        is_order = refused.exchange in {ORDERS, CALLS} and _COMMAND in refused.at
        reason = refused.reason or "others, which are counted only"
        self._pending.append(_Entry(ORDER if is_order else DELIVERY, about, slice_, change, reason))
        self._wake.set()

    async def _enter(self, entry: _Entry) -> None:
        while True:
            try:
                await self._audit.note(
                    entry.word,
                    entry.about,
                    entry.change,
                    slice_=entry.slice,
                    outcome=f"refused: {entry.reason}",
                )
            except DsmtError as error:
                _log.warning("a refusal was not entered in the audit log", reason=str(error))
                await asyncio.sleep(_AGAIN_S)
            else:
                return
