"""An event in one line: for people, or as PsEPR XML. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.journal import event_of
from dsmt_core.xml.writing import written
from dsmtc.client.heard import EventRecord, Lost
from dsmtc.rendering.table import Piece
from dsmtc.rendering.text import referenced


def event_line(
    event: EventRecord | Lost, clock: Callable[[float], str], *, wide: bool = False
) -> list[Piece]:
    """An event for people.

    Args:
        event: as the planner answers it.
        clock: writes a time for people.
        wide: also who said it, of which type, and for whom.
    """
    if "lost" in event:
        told = f"... {event['lost']} events were lost here: they came faster than they were read"
        return [Piece(told, "warning")]
    place = f" #{event['offset']}" if "offset" in event else ""
    held = " holds" if event.get("snapshot") else ""
    return [
        Piece(f"{clock(event['sent_at'])}{place}{held}", "faint"),
        Piece(event["channel"]),
        Piece(event["field"], "faint" if event["field"] == DEPLOYMENT_STATUS else ""),
        Piece(event["value"], "state", _state(event)),
        *(_beside(event) if wide else ()),
    ]


def _beside(event: EventRecord) -> Iterator[Piece]:
    yield Piece(f"by {event['service']} {event['instance']}", "faint")
    yield Piece(f"type {event['payload']}, id {event['id']}, seq {event['seq']}", "faint")
    yield Piece(f"holds {event['expiry']:g}s", "faint")


def event_xml(event: EventRecord) -> str:
    """The event as PsEPR XML, in one line with nothing in it that a terminal obeys.

    Raises:
        Invalid: the planner did not answer an event.
    """
    return referenced(written(event_of(cast("dict[str, object]", event))).decode())


def _state(event: EventRecord) -> str:
    if event["field"] != DEPLOYMENT_STATUS:
        return ""
    return event["pairs"].get("status") or event["pairs"].get("state", "")
