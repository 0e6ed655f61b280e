"""Many names in a sentence: the first few, and how many there are more. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def several(names: Sequence[str], most: int, *, joint: str = ", ") -> str:
    """The first ``most`` names, and how many there are more; empty where there is none."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return joint.join(names[:most]) + more
