"""An event as one JSON line: what a monitor writes down, and what ``dsmtc events --json`` prints."""

from __future__ import annotations

from typing import Any

from dsmt_core.events import Event


def record(event: Event) -> dict[str, Any]:
    """``event`` as plain values, in a fixed order; ``value`` is its text, ``pairs`` an object."""
    written: dict[str, Any] = {
        "channel": event.channel,
        "service": event.service,
        "instance": event.instance,
        "payload": event.payload,
        "field": event.field,
        "value": event.text,
        "pairs": dict(event.pairs),
        "sent_at": event.sent_at,
        "id": event.id,
        "boot_id": event.boot_id,
        "seq": event.seq,
        "ttl": event.ttl,
        "expiry": event.expiry,
        "emit_rate": event.emit_rate,
        "schema": event.schema,
    }
    optional = {
        "to_service": event.to_service,
        "to_instance": event.to_instance,
        "traceparent": event.traceparent,
        "extra": dict(event.extra),
    }
    return written | {name: value for name, value in optional.items() if value}
