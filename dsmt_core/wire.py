"""How an event travels: msgpack by default, PsEPR XML where asked; the content type chooses the codec.

A decoder never trusts what it reads: sizes and depth are bounded before anything is built, types are
checked field by field, an unknown schema major is refused and unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgpack

from dsmt_core.errors import Full, Invalid
from dsmt_core.events import NAMES, SCHEMA, Event, drafted
from dsmt_core.legal import PAIRS, VALUES, check

MSGPACK: Final = "application/vnd.dsmt.event+msgpack"
XML: Final = "application/vnd.psepr.event+xml"
CONTENT_TYPES: Final = (MSGPACK, XML)
BODY_BYTES: Final = 1 << 20
_SMALL: Final = 16 << 10
# The usual event; of so many of them what was decoded is remembered: a megabyte or two.
_OFTEN: Final = 1 << 10
_REMEMBERED: Final = 512
_MAJOR: Final = SCHEMA.partition(".")[0]

_REQUIRED: Final = ("channel", "service", "instance", "boot_id", "seq", "id", "sent_at")
_ALWAYS: Final = (*_REQUIRED, "payload", "field", "ttl", "expiry", "schema")
_always = attrgetter(*_ALWAYS)
# Written only when there is something in them.
_SOMETIMES: Final = ("value", "to_service", "to_instance", "emit_rate", "traceparent")
_sometimes = attrgetter(*_SOMETIMES)


def encode(event: Event, content_type: str = MSGPACK, most: int = BODY_BYTES) -> bytes:
    """The body of ``event`` in the codec that ``content_type`` names: `MSGPACK` or `XML`.

    Raises:
        Invalid: it is not legal, or there is no such codec.
        Full: it is longer than ``most`` bytes, 1 MiB unless told otherwise.
    """
    codec = _ENCODERS.get(content_type)
    if codec is None:
        raise Invalid(f"no codec for the content type {content_type[:80]!r}", hint=f"{MSGPACK} or {XML}")
    check(event)
    body = codec(event)
    if len(body) > most:
        raise Full(
            f"an event of {len(body)} bytes is above the limit of {most}",
            hint="say less, or where it can be fetched; the limit is set with event_bytes",
        )
    return body


def decode(body: bytes, content_type: str, most: int = BODY_BYTES) -> Event:
    """The event that ``body`` holds.

    Raises:
        Invalid: it cannot be read: unknown content type or schema, wrong types, above ``most`` bytes.
    """
    if len(body) <= _OFTEN:
        return _again(body, content_type, most)
    return _decoded(body, content_type, most)


def _decoded(body: bytes, content_type: str, most: int) -> Event:
    codec = _DECODERS.get(content_type)
    if codec is None:
        raise Invalid(f"no codec for the content type {content_type[:80]!r}")
    if len(body) > most:
        raise Invalid(f"a body of {len(body)} bytes is above the limit of {most}")
    return _event(codec(body))


# Whoever listens twice (the planner folds reports, and keeps what everybody says) gets a body twice, soon
# one after the other. The same bytes are the same event, and an event is never changed.
_again: Final = lru_cache(_REMEMBERED)(_decoded)


def printed_events(document: bytes) -> list[Event]:
    """The events that an XML document prints among other things, as the architecture guide does.

    Raises:
        Invalid: it is no XML that may be read, or one of its events is not legal.
    """
    from dsmt_core.xml.reading import printed_in  # noqa: PLC0415 - only who hears XML loads it

    if len(document) > BODY_BYTES:
        raise Invalid(f"a document of {len(document)} bytes is above the limit of {BODY_BYTES}")
    return [_event(fields) for fields in printed_in(document)]


def _packed(event: Event) -> bytes:
    body: dict[str, Any] = dict(event.extra) if event.extra else {}
    body.update(zip(_ALWAYS, _always(event), strict=True))
    sometimes = _sometimes(event)
    if any(sometimes):
        body.update((name, value) for name, value in zip(_SOMETIMES, sometimes, strict=True) if value)
    if event.pairs:
        body["pairs"] = dict(event.pairs)
    packed: bytes = msgpack.packb(body)
    return packed


def _as_xml(event: Event) -> bytes:
    from dsmt_core.xml.writing import written  # noqa: PLC0415 - only who speaks XML loads it

    return written(event)


_ENCODERS: Final[Mapping[str, Callable[[Event], bytes]]] = {MSGPACK: _packed, XML: _as_xml}


def _from_msgpack(body: bytes) -> Any:
    # A byte can be an empty container of 64, so in a large body they are counted as they are built.
    hook = None if len(body) <= _SMALL else _counter()
    try:
        return msgpack.unpackb(
            body,
            strict_map_key=True,
            max_map_len=PAIRS,
            max_array_len=PAIRS,
            max_ext_len=0,
            object_hook=hook,
            list_hook=hook,
        )
    except (msgpack.StackError, RecursionError) as error:
        raise Invalid("the body is nested too deep") from error
    except (ValueError, msgpack.UnpackException) as error:
        raise Invalid(f"the body is not msgpack: {str(error) or type(error).__name__}") from error


def _counter() -> Callable[[Any], Any]:
    left = iter(range(VALUES))

    def count(container: Any) -> Any:
        if next(left, None) is None:
            raise Invalid(f"the body holds more than {VALUES} maps and lists")
        return container

    return count


def _from_xml(body: bytes) -> Any:
    from dsmt_core.xml.reading import fields_of  # noqa: PLC0415 - only who hears XML loads it

    return fields_of(body)


_DECODERS: Final[Mapping[str, Callable[[bytes], Any]]] = {MSGPACK: _from_msgpack, XML: _from_xml}


def _event(read: Any) -> Event:
    if not isinstance(read, dict):
        raise Invalid("the body is not a map of fields")
    schema = read.get("schema", "")
    if not isinstance(schema, str) or schema.partition(".")[0] != _MAJOR:
        raise Invalid(f"the schema {str(schema)[:40]!r} is unknown; this reader knows {_MAJOR}.x")
    known = read if NAMES.issuperset(read) else _parted(read)
    try:
        event = drafted(known)
    except TypeError:
        missing = [name for name in _REQUIRED if name not in read]
        raise Invalid(f"the event lacks {', '.join(missing)}") from None
    check(event)
    return event


def _parted(read: dict[Any, Any]) -> dict[str, Any]:
    known = {name: value for name, value in read.items() if name in NAMES}
    return known | {"extra": {name: value for name, value in read.items() if name not in NAMES}}
