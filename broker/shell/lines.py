"""What `dsmt-event` reads and prints: an event as words, as a line, and as JSON. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsmt_core.errors import Invalid
from dsmt_core.events import Event

# What a JSON line may set besides the value; the rest of an event belongs to its sender.
_FIELDS: Final = {
    "channel": str,
    "field": str,
    "value": str,
    "pairs": dict,
    "emit_rate": float,
    "expiry": float,
    "ttl": float,
    "to_service": str,
    "to_instance": str,
    "traceparent": str,
}
_TOLD: Final = (
    "channel",
    "service",
    "instance",
    "sent_at",
    "field",
    "value",
    "to_service",
    "to_instance",
    "expiry",
    "emit_rate",
    "payload",
    "id",
)
_SHOWN: Final = 60


def words_pairs(words: Sequence[str]) -> dict[str, str]:
    """The pairs that words such as ``rtt_ms=0.12`` name.

    Raises:
        Invalid: a word is not name=value, or a name comes twice.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Invalid(f"{word[:_SHOWN]!r} is not name=value", hint="a text goes into --value")
        if name in pairs:
            raise Invalid(f"{name[:_SHOWN]!r} is there twice")
        pairs[name] = value
    return pairs


def line_fields(line: str, *, text: bool = False) -> dict[str, Any]:
    """The fields of the event that one line of input means.

    Args:
        line: a JSON object of fields, or words ``name=value`` quoted as in a shell.
        text: it is neither, but the value as it stands.

    Raises:
        Invalid: it is none of these.
    """
    if text:
        return {"value": line}
    if line.startswith("{"):
        return _json_fields(line)
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Invalid(f"{line[:_SHOWN]!r} cannot be split into words: {error}") from error
    return {"pairs": words_pairs(words)}


def event_line(event: Event) -> str:
    """An event as a line for people: who, which field, what; apart by tabs, and one line in any case."""
    shown = (event.channel, event.instance, event.field, event.text)
    return "\t".join(" ".join(each.split()) for each in shown)


def event_json(event: Event) -> str:
    """An event as one line of JSON; what is empty is left out."""
    values = {name: getattr(event, name) for name in _TOLD} | {"pairs": dict(event.pairs)}
    return json.dumps({name: value for name, value in values.items() if value not in ("", 0, {})})


def _json_fields(line: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{line[:_SHOWN]!r} is not JSON") from error
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        raise Invalid(
            f"{unknown[0][:_SHOWN]!r} is no field of an event", hint=f"one of {', '.join(_FIELDS)}"
        )
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    kind = _FIELDS[name]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise Invalid(f"{name} is not a {'number' if kind is float else kind.__name__}")
    return _texts(value) if isinstance(value, Mapping) else value


def _texts(pairs: Mapping[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in pairs.values()):
        raise Invalid("the values of pairs are texts")
    return dict(pairs)
