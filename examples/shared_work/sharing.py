"""Who does what: decided by each instance for itself, from what it hears of the others. Pure.

Each item belongs to the living instance with the highest hash of both names (rendezvous hashing: D. Thaler,
C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998). Whoever hears the same decides the
same; one that dies leaves only its own items to the others, and one that comes back takes back only these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable


def owner(item: str, living: Iterable[str]) -> str:
    """The instance that does ``item``; of at least one that lives."""
    return max(living, key=lambda instance: _weight(item, instance))


def share(
    items: Iterable[str], living: Collection[str], me: str, *, before: frozenset[str], heard: bool
) -> frozenset[str]:
    """The items that are mine now.

    Args:
        items: all there are.
        living: the instances whose status holds.
        me: this instance, which lives whether it has heard itself or not.
        before: what was mine until now.
        heard: whether it has listened, without a break, for as long as others take to say that they live.
            As long as it has not, silence says nothing: it keeps what it had, and takes nothing.
    """
    if not heard:
        return before
    everybody = {*living, me}
    return frozenset(item for item in items if owner(item, everybody) == me)


def _weight(item: str, instance: str) -> tuple[bytes, str]:
    return hashlib.blake2b(f"{instance}\n{item}".encode(), digest_size=8).digest(), instance
