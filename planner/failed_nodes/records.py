"""What outlives the planner of what the tracker knows: how often a node failed, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.failed_nodes.notes import Note, note_value, read_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a node from before.

    Attributes:
        failures: how often it failed, less what is forgiven.
        alive_since: since when it was alive last, seconds.
        judged_at: when its state was last changed.
        notes: oldest first.
    """

    failures: int = 0
    alive_since: float = 0.0
    judged_at: float = 0.0
    notes: tuple[Note, ...] = ()


def past_value(past: Past) -> dict[str, Any]:
    """A past as plain JSON."""
    return {
        "failures": past.failures,
        "alive_since": past.alive_since,
        "judged_at": past.judged_at,
        "notes": [note_value(note) for note in past.notes],
    }


def read_past(value: Mapping[str, Any]) -> Past:
    """The inverse of `past_value`."""
    return Past(
        failures=int(value["failures"]),
        alive_since=float(value["alive_since"]),
        judged_at=float(value["judged_at"]),
        notes=tuple(read_note(note) for note in value["notes"]),
    )
