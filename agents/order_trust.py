"""Whose orders a container manager or an agent follows: those signed with a key that it was given.

Rule: checked before anything else is made of an order. Without a key, as where the planner is older than
signed orders, all is as the broker lets it through; with one, nothing that is not signed is followed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from broker.bus import Delivery
from dsmt_core.ed25519 import verify
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.signing import HAND_OVER, PublicKey, Refusal, hand_overs, public_key, refusal, taken_over

log = logging.getLogger(__name__)

# Why an order is refused that is known to have been overtaken by another one.
OUTDATED: Final = "it is older than what is followed here"
# Who hears that an order is too old says again what it holds, and so its session; not more often.
_AGAIN_S: Final = 2.0


class OrderTrust:
    """The keys that one process believes.

    Args:
        keys: given by the planner when the node joined; none: nothing is checked.
        session: of this process, which it says with what it holds.
        clock: seconds since the epoch.

    Attributes:
        keys: those that are believed now.
        refused: how many orders were not.
    """

    def __init__(
        self, keys: Iterable[PublicKey], session: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.keys = frozenset(keys)
        self.session = session
        self.refused = 0
        self._clock = clock
        self._asked_at = -_AGAIN_S

    @property
    def pairs(self) -> dict[str, str]:
        """How `agent.json` says it; without a key nothing."""
        return {"order_keys": " ".join(sorted(self.keys))} if self.keys else {}

    def refusal(self, event: Event) -> Refusal | None:
        """Why an order or a call is not to be followed; None when it is."""
        if not self.keys:
            return None
        if text := event.pairs.get(HAND_OVER):
            try:
                self.keys = taken_over(self.keys, hand_overs(text), verify)
            except Invalid as error:
                return Refusal(error.message)
        return refusal(event, self.keys, session=self.session, now=self._clock(), verify=verify)

    def believes(self, delivery: Delivery, again: Callable[[], object] = lambda: None) -> bool:
        """Whether to follow what was delivered; otherwise it goes to the dead letters, with the reason.

        Args:
            delivery: of an order or a call; still to be acknowledged if it is believed.
            again: called when it would be believed if the planner signed it anew, for this session; not
                every time.
        """
        found = self.refusal(delivery.event)
        if found is None:
            return True
        self.refused += 1
        log.warning("refused: %s: %s", delivery.event.value[:120], found.reason)
        delivery.refuse(found.reason)
        now = time.monotonic()
        if found.stale and now - self._asked_at >= _AGAIN_S:
            self._asked_at = now
            again()
        return False


def keys_of(text: str) -> tuple[PublicKey, ...]:
    """The keys in a list with spaces between them.

    Raises:
        Invalid: one of them is none.
    """
    return tuple(map(public_key, text.split()))
