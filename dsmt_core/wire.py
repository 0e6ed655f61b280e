"""How an event travels: msgpack by default; the content type chooses the codec.

A decoder never trusts what it reads: sizes and depth are bounded before anything is built, types are
checked field by field, an unknown schema major is refused and unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

import msgpack

from dsmt_core.errors import Full, Invalid
from dsmt_core.events import NAMES, SCHEMA, Event
from dsmt_core.legal import PAIRS, check

MSGPACK: Final = "application/vnd.dsmt.event+msgpack"
BODY_BYTES: Final = 1 << 20
_MAJOR: Final = SCHEMA.partition(".")[0]

_REQUIRED: Final = ("channel", "service", "instance", "boot_id", "seq", "id", "sent_at")
_ALWAYS: Final = (*_REQUIRED, "payload", "field", "ttl", "expiry", "schema")
_always = attrgetter(*_ALWAYS)
# Written only when there is something in them.
_SOMETIMES: Final = ("value", "to_service", "to_instance", "emit_rate", "traceparent")
_sometimes = attrgetter(*_SOMETIMES)


def encode(event: Event) -> bytes:
    """The body of ``event`` as msgpack.

    Raises:
        Invalid: it is not legal.
        Full: it is longer than 1 MiB.
    """
    check(event)
    body: dict[str, Any] = dict(event.extra) if event.extra else {}
    body.update(zip(_ALWAYS, _always(event), strict=True))
    sometimes = _sometimes(event)
    if any(sometimes):
        body.update((name, value) for name, value in zip(_SOMETIMES, sometimes, strict=True) if value)
    if event.pairs:
        body["pairs"] = dict(event.pairs)
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
            body, strict_map_key=True, max_map_len=PAIRS, max_array_len=PAIRS, max_ext_len=0
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
    known, extra = (read, {}) if NAMES.issuperset(read) else _parted(read)
    try:
        event = Event(**known, extra=extra) if extra else Event(**known)
    except TypeError:
        missing = [name for name in _REQUIRED if name not in read]
        raise Invalid(f"the event lacks {', '.join(missing)}") from None
    check(event)
    return event


def _parted(read: dict[Any, Any]) -> tuple[dict[str, Any], dict[Any, Any]]:
    known = {name: value for name, value in read.items() if name in NAMES}
    return known, {name: value for name, value in read.items() if name not in NAMES}
