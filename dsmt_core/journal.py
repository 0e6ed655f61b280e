"""An event as one JSON line: what a monitor writes down, and what ``dsmtc events --json`` prints.

Nothing is lost: `event_of` makes the same event of it. ``value`` is the text for people; where there are
pairs and it is not just the pairs written out, ``own_value`` says so. Bytes, which JSON has not, are an
object with the one name ``$base64``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from dsmt_core.errors import Invalid
from dsmt_core.events import NAMES, Event
from dsmt_core.legal import check

_BYTES: Final = "$base64"
# What is told about an event beside its fields: its place in the history, and that it is a value held.
_BESIDE: Final = frozenset({"offset", "snapshot", "own_value"})


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
        "own_value": bool(event.value and event.pairs),
        "extra": _plain(event.extra),
    }
    return written | {name: value for name, value in optional.items() if value}


def event_of(line: Mapping[str, Any]) -> Event:
    """The event that `record` wrote; what stands beside its fields is left out.

    Raises:
        Invalid: it is no such record.
    """
    fields = {name: value for name, value in line.items() if name not in _BESIDE}
    if not fields.keys() <= NAMES | {"extra"}:
        raise Invalid("the line is not the record of an event")
    if line.get("pairs") and not line.get("own_value"):
        fields["value"] = ""
    if "extra" in fields:
        fields["extra"] = _from_plain(fields["extra"])
    try:
        event = Event(**fields)
        check(event)
    except (TypeError, AttributeError, ValueError) as error:
        raise Invalid(f"the line is not the record of an event: {error}") from error
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_BYTES} and isinstance(value[_BYTES], str):
        try:
            return b64decode(value[_BYTES], validate=True)
        except ValueError as error:
            raise Invalid(f"{value[_BYTES][:40]!r} is not base64") from error
    return {name: _from_plain(part) for name, part in value.items()}
