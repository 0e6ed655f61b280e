"""Evidence: what was noticed of a node, when, and by whom; bounded, whatever is told how often."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

# What nodes and brokers say of themselves is cut.
_LONGEST: Final = 300

TRACKER: Final = "tracker"
BROKER: Final = "broker"
NODE: Final = "node"
PROBE: Final = "probe"
MAINTENANCE: Final = "maintenance"


@dataclass(frozen=True, slots=True)
class Note:
    """One piece of evidence.

    Attributes:
        what: a plain sentence.
        when: it was noticed last, seconds.
        by: by whom: ``tracker`` (heartbeats), ``broker``, ``node``, ``probe``, or a person's account.
        times: how often in a row.
    """

    what: str
    when: float
    by: str
    times: int = 1


class Notes:
    """The last notes about one node; the same one again takes no further place.

    So whoever makes the broker repeat a hint cannot push out what else is known.
    """

    def __init__(self, most: int, notes: Iterable[Note] = ()) -> None:
        self._notes = deque(notes, maxlen=most)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._notes)

    def add(self, what: str, when: float, by: str) -> None:
        """One more."""
        what = what[:_LONGEST]
        last = self._notes[-1] if self._notes else None
        if last is not None and (last.what, last.by) == (what, by):
            self._notes[-1] = replace(last, when=when, times=last.times + 1)
        else:
            self._notes.append(Note(what, when, by))


def note_value(note: Note) -> dict[str, Any]:
    """A note as plain JSON."""
    return {"what": note.what, "when": note.when, "by": note.by, "times": note.times}


def read_note(value: dict[str, Any]) -> Note:
    """The inverse of `note_value`."""
    return Note(str(value["what"]), float(value["when"]), str(value["by"]), int(value.get("times", 1)))
