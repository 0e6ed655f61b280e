"""A package on its way to the planner, gone on with where the connection broke off.

Rule of this file: only what had begun is tried again, a bounded number of times; the planner says how much
has come. A planner of before does not know that: then the whole is sent anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Conflict, DeadlinePassed, DsmtError, Invalid, Unavailable
from dsmtc.client.kept import Stored

ATTEMPTS: Final = 6
# Less is sent anew by whoever wants it.
WORTH_IT: Final = 1 << 20
_WAIT_S: Final = 0.5


@dataclass(slots=True)
class Sending:
    """One package on its way.

    Attributes:
        send: sends what lies behind so many bytes, and tells how many of the whole are sent.
        received: asks how many bytes have come.
        pause: waits so many seconds.
    """

    send: Callable[[int, Callable[[int], None]], Stored]
    received: Callable[[], int]
    pause: Callable[[float], object] = time.sleep
    _sent: int = 0

    def run(self) -> Stored:
        """Send it.

        Raises:
            DsmtError: the planner refuses it, or does not answer any more.
        """
        begin, anew = 0, True
        for attempt in range(ATTEMPTS):
            try:
                return self.send(begin, self._reached)
            except (Unavailable, DeadlinePassed):
                # A planner that is still away at a further attempt has had as much as at the first.
                if attempt == ATTEMPTS - 1 or self._sent < WORTH_IT:
                    raise
            except (Invalid, Conflict):
                # What came earlier may have been another file of this digest, or be gone.
                if not (begin and anew):
                    raise
                begin, anew = 0, False
                continue
            self.pause(random.uniform(0.5, 1) * _WAIT_S * 2**attempt)  # noqa: S311 - a pause, not a secret
            begin = self._known()
        raise Unavailable("the package could not be sent")

    def _reached(self, sent: int) -> None:
        self._sent = max(self._sent, sent)

    def _known(self) -> int:
        try:
            return self.received()
        except DsmtError:
            # Still away, or of before: the next attempt begins anew.
            return 0
