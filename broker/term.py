"""The term of a lease: what was granted, when to look after it, and when it is over.

Decides only, by the monotonic clock of whoever asks. A term is renewed by a success, and only by one: with
the broker away, or with a queue that has fallen silent, it simply runs out.
"""

from __future__ import annotations

import math
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.leases import RENEW_AT, Lease, Op

# How many looks fit into the time in which a term has to be renewed: some may fail.
_LOOKS: Final = 4


class Term:
    """The term of one lease.

    Args:
        queue: the lease's own name.
        asked_s: seconds that were asked for.
        most_s: the most that is granted.
        renew_s: seconds between two looks, at most.
        payload: the type of payload that is wanted; empty for all.

    Raises:
        Invalid: ``asked_s`` is not a number of seconds above 0.
    """

    def __init__(
        self, queue: str, asked_s: float, *, most_s: float, renew_s: float, payload: str = ""
    ) -> None:
        if not 0 < asked_s < math.inf:
            raise Invalid(f"a lease cannot last {asked_s} s", hint="ask for a number of seconds above 0")
        asked = Lease(op=Op.REGISTER, identifier=queue, duration=asked_s, payload=payload)
        self.grant = asked.granted(most_s)
        self.pause_s = min(renew_s, RENEW_AT * self.granted_s / _LOOKS)
        self._over_at = math.inf

    @property
    def granted_s(self) -> float:
        """Seconds that were granted."""
        return self.grant.duration

    def renew(self, now: float) -> None:
        """It begins anew at ``now``, which is when the success was asked for."""
        self._over_at = now + self.granted_s

    def left_s(self, now: float) -> float:
        """Seconds until it is over, 0 when it is; without end before it has begun."""
        return max(0.0, self._over_at - now)
