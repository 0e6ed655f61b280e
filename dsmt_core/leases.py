"""The lease payload: who asks to hear a channel, for how long, and what was granted.

A client publishes ``register``, and again when `RENEW_AT` of what was granted is over; the answer is
``lease``, with what was granted; ``unregister`` ends it. What it says travels as pairs, ``duration``
(seconds), ``identifier``, ``op`` and, where only one type of payload is wanted, ``type``.

Source: field list of the public PsEPR clients.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.events import Event

LEASE: Final = "http://psepr.org/ns/payload/lease"
LEASE_TYPES: Final = frozenset({LEASE, "http://psepr.org/xs/payload/lease"})
DURATION_S: Final = 3600.0
RENEW_AT: Final = 0.8
_IDENTIFIER: Final = 255
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?\Z")


class Op(StrEnum):
    """What a lease payload asks or answers."""

    REGISTER = "register"
    UNREGISTER = "unregister"
    LEASE = "lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease payload, typed.

    Attributes:
        op: what it asks, or answers.
        identifier: the client's own name for it; request and answer carry the same.
        duration: seconds that are asked for, or were granted.
        payload: the type of payload that is wanted; empty for all.
    """

    op: Op
    identifier: str
    duration: float = DURATION_S
    payload: str = ""

    @property
    def pairs(self) -> dict[str, str]:
        """How it travels; the inverse of `lease_of`."""
        pairs = {"op": str(self.op), "identifier": self.identifier, "duration": f"{self.duration:f}"}
        return pairs | ({"type": self.payload} if self.payload else {})

    def granted(self, most: float) -> Lease:
        """The answer to a ``register``: what is asked for, up to ``most`` seconds."""
        return Lease(
            op=Op.LEASE,
            identifier=self.identifier,
            duration=min(self.duration, most),
            payload=self.payload,
        )

    def renew_at(self, granted_at: float) -> float:
        """When to ask again, by the clock of ``granted_at``, in seconds."""
        return granted_at + RENEW_AT * self.duration


def lease_of(event: Event) -> Lease:
    """The lease payload of ``event``.

    Raises:
        Invalid: it has another payload, an unknown op, no identifier, or a duration that is none.
    """
    if event.payload not in LEASE_TYPES:
        raise Invalid(f"the payload {event.payload[:80]!r} is not a lease", hint=f"its type is {LEASE}")
    pairs = event.pairs
    identifier = pairs.get("identifier", "")
    if not 0 < len(identifier) <= _IDENTIFIER:
        raise Invalid(f"the lease's identifier is not 1 to {_IDENTIFIER} characters")
    return Lease(
        op=_op(pairs.get("op", "")),
        identifier=identifier,
        duration=_duration(pairs.get("duration", "")),
        payload=pairs.get("type", ""),
    )


def _op(text: str) -> Op:
    try:
        return Op(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not asked of a lease", hint=f"one of {', '.join(Op)}") from None


def _duration(text: str) -> float:
    if not text:
        return DURATION_S
    if not _SECONDS.match(text) or not float(text):
        raise Invalid(f"the lease's duration {text[:40]!r} is not a number of seconds above 0")
    return float(text)
