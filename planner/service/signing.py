"""Signs what the planner orders, for the session of whoever obeys: so nothing is told twice by others.

A session names one life of a container manager or an agent; each says it with what it holds. One that is
not known, as after a start of the planner, is left out: then the receiver looks at its clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import Event
from dsmt_core.names import DEPLOYMENT_AGENT, Host, Slice
from dsmt_core.nodes import HOLDINGS
from dsmt_core.signing import (
    HAND_OVER,
    SESSION,
    SIGNATURE,
    SIGNED_AT,
    SIGNED_BY,
    in_text,
    key_id,
    order_content,
)
from planner.authority.order_keys import OrderKeys

# More agents than one planner has; what is said by strangers cannot fill the memory.
_MOST: Final = 1 << 19


class Signing:
    """Signs events.

    Args:
        keys: the planner's.
        clock: seconds since the epoch.
    """

    def __init__(self, keys: OrderKeys, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock
        self._sessions: dict[Channel, str] = {}

    def signed(self, event: Event, listens: Channel) -> Event:
        """The event, signed.

        Args:
            event: an order or a call.
            listens: where its receiver says what it holds.

        Raises:
            Unavailable: the key cannot be read or made.
        """
        key = self._keys.current()
        public = key.signer.public
        more = {SIGNED_BY: key_id(public), SIGNED_AT: f"{self._clock():.3f}"}
        if session := self._sessions.get(listens):
            more[SESSION] = session
        if key.hand_overs:
            more[HAND_OVER] = " ".join(key.hand_overs)
        unsigned = replace(event, pairs={**event.pairs, **more})
        signature = in_text(key.signer.sign(order_content(unsigned)))
        return replace(unsigned, pairs={**unsigned.pairs, SIGNATURE: signature})

    def told(self) -> Mapping[str, str]:
        """What a joining node is told: the key, and the statements that led to it.

        Raises:
            Unavailable: the key cannot be read or made.
        """
        key = self._keys.current()
        return {"order_key": key.signer.public, "hand_overs": " ".join(key.hand_overs)}

    def hearing(self, answers: Callable[[Event], bool]) -> Callable[[Event], bool]:
        """``answers``, with the sessions noted on the way."""

        def heard(event: Event) -> bool:
            if event.field == HOLDINGS and (event.channel in self._sessions or len(self._sessions) < _MOST):
                self._sessions[event.channel] = event.boot_id
            return answers(event)

        return heard


def of_node(host: Host) -> Channel:
    """Where a container manager says what it holds."""
    return facts_channel(host)


def of_agent(slice_: Slice, host: Host) -> Channel:
    """Where an agent says what it holds."""
    return status_channel(slice_, DEPLOYMENT_AGENT, host)
