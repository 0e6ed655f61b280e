"""What a lease is with every adapter: what it binds, its renewal, whether it is over or misses something.

How a queue is made, bound and read is each adapter's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from broker.bus import Health
from broker.limits import Limits
from broker.renewal import BIND_AGAIN_KEY, Renewal, Told
from broker.term import Term
from dsmt_core import channels
from dsmt_core.errors import DsmtError
from dsmt_core.events import Event
from dsmt_core.hearing import Wants
from dsmt_core.rights import LEASES


class Owner(Protocol):
    """What a lease needs of its bus, whatever that is."""

    user: str
    limits: Limits
    health: Health


@dataclass(frozen=True, slots=True)
class Signs:
    """What its reader is told.

    Attributes:
        gap: something was missed; how much nobody knows.
        over: it has ended, and why.
    """

    gap: Callable[[], None]
    over: Callable[[DsmtError], None]


class Tenure:
    """One lease, as long as it is held.

    Args:
        owner: its bus.
        term: its queue, and what was granted.
        wants: what of its channel is heard.
        signs: what its reader is told.

    Attributes:
        renewal: to be begun, told of what comes, and ended.
    """

    def __init__(self, owner: Owner, term: Term, wants: Wants, signs: Signs) -> None:
        self.renewal = Renewal(
            term,
            owner.user,
            limits=owner.limits,
            health=owner.health,
            told=Told(over=self._is_over, missed=self.missed),
        )
        self._wants = wants
        self._signs = signs
        self._over: DsmtError | None = None
        self._whole = True

    @property
    def granted_s(self) -> float:
        """For how long, in seconds, it is granted each time."""
        return self.renewal.term.granted_s

    def check(self) -> None:
        """Nothing is made for a lease that is over.

        Raises:
            DsmtError: why it is.
        """
        if self._over is not None:
            raise self._over

    def hears(self, event: Event) -> bool:
        """Whether ``event`` is handed on."""
        return self._over is None and self._wants.hears(event)

    def missed(self) -> None:
        """How many it misses nobody knows: tell that there is a gap, once for each."""
        if self._whole:
            self._whole = False
            self._signs.gap()

    def mended(self) -> None:
        """It hears everything again: what is missed from now on is another gap."""
        self._whole = True

    def _is_over(self, error: DsmtError) -> None:
        self._over = error
        self._signs.over(error)


def bindings(
    term: Term, channel: channels.Channel, wants: Wants, exchanges: Sequence[str]
) -> list[tuple[str, str]]:
    """Exchange and key of what its queue is bound to: what it hears, its probes, and the summons."""
    key = channels.binding_key(channel, wants.state)
    own = (term.grant.identifier, BIND_AGAIN_KEY)
    return [*((exchange, key) for exchange in exchanges), *((LEASES, word) for word in own)]
