"""What is heard of each service on each channel, as counts; bounded, the row heard least recently goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.channels import Channel
from dsmt_core.events import Event

ROWS: Final = 50_000
FIELDS: Final = 16


@dataclass(slots=True)
class Row:
    """One service on one channel.

    Attributes:
        instance: the copy of it that was heard last.
        events: how many were heard since the planner began to listen.
        heard_at: when the last one was, seconds.
        fields: of which fields, the first sixteen.
        period: seconds between its events as the last one said; 0 when they are not repeated.
    """

    channel: Channel
    service: str
    instance: str = ""
    events: int = 0
    heard_at: float = 0.0
    fields: set[str] = field(default_factory=set)
    period: float = 0.0


class Rows:
    """The rows; ``limit`` of them are kept."""

    def __init__(self, limit: int = ROWS) -> None:
        self._limit = limit
        self._rows: OrderedDict[tuple[Channel, str], Row] = OrderedDict()

    def heard(self, event: Event, now: float) -> None:
        """Count an event."""
        key = event.channel, event.service
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(*key)
            if len(self._rows) > self._limit:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end(key)
        row.events += 1
        row.heard_at, row.instance, row.period = now, event.instance, event.emit_rate
        if len(row.fields) < FIELDS:
            row.fields.add(event.field)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)
