"""How an event travels: msgpack by default; the content type chooses the codec.

A decoder never trusts what it reads: sizes and depth are bounded before anything is built, types are
checked field by field, an unknown schema major is refused and unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import msgpack

from dsmt_core.channels import Channel, channel
from dsmt_core.errors import Full, Invalid
from dsmt_core.events import SCHEMA, Event

MSGPACK: Final = "application/vnd.dsmt.event+msgpack"
BODY_BYTES: Final = 1 << 20
_MAJOR: Final = SCHEMA.partition(".")[0]
_PAIRS: Final = 256

_FIELDS: Final = tuple(f.name for f in fields(Event) if f.name != "extra")
_DEFAULTS: Final = {
    "value": "",
    "pairs": {},
    "to_service": "",
    "to_instance": "",
    "traceparent": "",
    "emit_rate": 0.0,
}
_REQUIRED: Final = ("channel", "service", "instance", "boot_id", "seq", "id", "sent_at")
_NUMBERS: Final = frozenset({"sent_at", "ttl", "expiry", "emit_rate"})


def encode(event: Event) -> bytes:
    """The body of ``event`` as msgpack.

    Raises:
        Full: it is longer than 1 MiB.
    """
    body: dict[str, Any] = {
        name: value for name in _FIELDS if (value := getattr(event, name)) != _DEFAULTS.get(name, _FIELDS)
    }
    if "pairs" in body:
        body["pairs"] = dict(body["pairs"])
    if event.extra:
        body = {**event.extra, **body}
    packed: bytes = msgpack.packb(body)
    if len(packed) > BODY_BYTES:
        raise Full(f"an event of {len(packed)} bytes is above the limit of {BODY_BYTES}")
    return packed


def decode(body: bytes, content_type: str) -> Event:
    """The event that ``body`` holds.

    Raises:
        Invalid: it cannot be read: unknown content type or schema, wrong types, too large.
    """
    codec = _DECODERS.get(content_type)
    if codec is None:
        raise Invalid(f"no codec for the content type {content_type[:80]!r}")
    if len(body) > BODY_BYTES:
        raise Invalid(f"a body of {len(body)} bytes is above the limit of {BODY_BYTES}")
    return _event(codec(body))


def _from_msgpack(body: bytes) -> Any:
    try:
        return msgpack.unpackb(
            body, strict_map_key=True, max_map_len=_PAIRS, max_array_len=_PAIRS, max_ext_len=0
        )
    except (ValueError, msgpack.UnpackException, msgpack.StackError) as error:
        raise Invalid(f"the body is not msgpack: {error or type(error).__name__}") from error


_DECODERS: Final[Mapping[str, Callable[[bytes], Any]]] = {MSGPACK: _from_msgpack}


def _event(read: Any) -> Event:
    if not isinstance(read, dict):
        raise Invalid("the body is not a map of fields")
    schema = read.get("schema", "")
    if not isinstance(schema, str) or schema.partition(".")[0] != _MAJOR:
        raise Invalid(f"the schema {schema!r} is unknown; this reader knows {_MAJOR}.x")
    missing = [name for name in _REQUIRED if name not in read]
    if missing:
        raise Invalid(f"the event lacks {', '.join(missing)}")
    known = {name: _typed(name, read[name]) for name in _FIELDS if name in read}
    extra = {name: value for name, value in read.items() if name not in known}
    return Event(**known, extra=extra) if extra else Event(**known)


def _typed(name: str, value: Any) -> Any:
    if name == "pairs":
        return _pairs(value)
    if name == "seq":
        legal = isinstance(value, int) and not isinstance(value, bool) and value > 0
    elif name in _NUMBERS:
        legal = isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    else:
        legal = isinstance(value, str)
    if not legal:
        raise Invalid(f"the field {name} has a wrong type or value")
    return _channel(value) if name == "channel" else value


def _channel(value: str) -> Channel:
    checked = channel(value)
    if checked != value:
        raise Invalid(f"the channel {value[:80]!r} does not end with /")
    return checked


def _pairs(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    ):
        raise Invalid("the field pairs is not a map of texts")
    return value


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")  # noqa: PLR0124 - NaN is not itself
