"""What makes an event legal: checked by the sender's codec and again by every receiver's.

Rule: one check for both codecs and both directions, so that whatever one of them writes the others
read. The usual event passes by a handful of operations over all its texts at once; only one that is
not legal is looked at field by field, to name what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NoReturn

from dsmt_core.channels import channel
from dsmt_core.errors import Invalid
from dsmt_core.events import NAMES, SCHEMA, Event, check_text

PAIRS: Final = 1024
VALUES: Final = 4096
DEPTH: Final = 8
_EXTRAS: Final = 128
_SEQ: Final = 1 << 64
# 9999-12-31: what calendars can still show.
_LAST_SECOND: Final = 253_402_300_799
_INFINITE: Final = float("inf")
_NUMBER: Final = (float, int)
_SCHEMA: Final = re.compile(rf"{SCHEMA.partition('.')[0]}\.[0-9]{{1,6}}\Z")
# https://www.w3.org/TR/trace-context/#traceparent-header: a newer version may go on after the flags.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|\Z)"
)
_TRACEPARENT_LENGTH: Final = 55
_TRACEPARENT_LONGEST: Final = 255

_TEXTS: Final = (
    "channel", "service", "instance", "boot_id", "id", "payload", "field", "value",
    "to_service", "to_instance", "schema", "traceparent",
)  # fmt: skip
_texts = attrgetter(*_TEXTS)
_DURATIONS: Final = ("ttl", "expiry", "emit_rate")
_numbers = attrgetter("seq", "sent_at", *_DURATIONS)


def check(event: Event) -> None:
    """Return if ``event`` is legal: types, ranges, legal text, and the bounds of what it holds.

    Raises:
        Invalid: it is not; the message names the field.
    """
    pairs = event.pairs
    try:
        written = "".join((*_texts(event), *pairs, *pairs.values()))
    except (TypeError, AttributeError):
        _blame(event)
    # What is printable is legal; what is not may be (a newline, for one), and is looked at closely.
    if not written.isprintable():
        _check_texts(event)
    if channel(event.channel) != event.channel:
        raise Invalid(f"the channel {event.channel[:80]!r} does not end with /")
    _check_numbers(event)
    if event.schema != SCHEMA or event.traceparent or event.to_instance:
        _check_forms(event)
    if len(pairs) > PAIRS:
        raise Invalid(f"the event has {len(pairs)} pairs; at most {PAIRS} are legal")
    if event.extra:
        _check_extra(event.extra)


def _check_numbers(event: Event) -> None:
    seq, sent_at, ttl, expiry, rate = _numbers(event)
    # Floats that are neither NaN nor infinite, as every sender of ours writes them: looked at in one go.
    if (
        type(seq) is int
        and type(sent_at) is type(ttl) is type(expiry) is type(rate) is float
        and 0 < seq < _SEQ
        and 0 <= sent_at <= _LAST_SECOND
        and 0 <= ttl < _INFINITE
        and 0 <= expiry < _INFINITE
        and 0 <= rate < _INFINITE
    ):
        return
    if type(seq) is not int or not 0 < seq < _SEQ:
        _wrong("seq")
    if type(sent_at) not in _NUMBER or not 0 <= sent_at <= _LAST_SECOND:
        _wrong("sent_at")
    for name, value in zip(_DURATIONS, (ttl, expiry, rate), strict=True):
        # Written so that what is no number (NaN) is refused.
        if type(value) not in _NUMBER or not 0 <= value < _INFINITE:
            _wrong(name)


def _check_forms(event: Event) -> None:
    if not _SCHEMA.match(event.schema):
        raise Invalid(f"the schema {event.schema[:40]!r} is unknown; known is {SCHEMA}, and newer minors")
    if event.traceparent and not is_traceparent(event.traceparent):
        raise Invalid(f"the traceparent {event.traceparent[:80]!r} is not one of W3C trace context")
    if event.to_instance and not event.to_service:
        raise Invalid("the event is narrowed to an instance, but to no service")


def is_traceparent(text: str) -> bool:
    """Whether ``text`` is a ``traceparent`` of W3C trace context, of version 00 or of a newer one."""
    if not _TRACEPARENT.match(text) or len(text) > _TRACEPARENT_LONGEST:
        return False
    return len(text) == _TRACEPARENT_LENGTH or not text.startswith("00")


def _check_texts(event: Event) -> None:
    for name, text in zip(_TEXTS, _texts(event), strict=True):
        check_text(text, f"the field {name}")
    for name, text in event.pairs.items():
        check_text(name, "the name of a pair")
        check_text(text, f"the pair {name[:40]!r}")


def _check_extra(extra: Any) -> None:
    if not isinstance(extra, Mapping):
        raise Invalid("the unknown fields are not a map")
    if len(extra) > _EXTRAS:
        raise Invalid(f"the event has {len(extra)} unknown fields; at most {_EXTRAS} are kept")
    values = 0
    for name, value in extra.items():
        # What msgpack reads as a name may be bytes.
        if type(name) is not str or name in NAMES:
            raise Invalid(f"an unknown field cannot be called {str(name)[:40]!r}")
        check_text(name, "the name of an unknown field")
        values += _check_value(value, name, DEPTH)
    if values > VALUES:
        raise Invalid(f"the unknown fields hold {values} values; at most {VALUES} are kept")


def _check_value(value: Any, name: str, depth: int) -> int:
    """How many values it is."""
    if depth == 0:
        raise Invalid(f"the unknown field {name[:40]!r} is nested more than {DEPTH} deep")
    kind = type(value)
    if kind in {list, dict} and len(value) > PAIRS:
        raise Invalid(f"the unknown field {name[:40]!r} has {len(value)} entries; at most {PAIRS} are kept")
    if kind is list:
        return 1 + sum(_check_value(part, name, depth - 1) for part in value)
    if kind is dict:
        for key in value:
            _check_key(key, name)
        return 1 + sum(_check_value(part, name, depth - 1) for part in value.values())
    if kind is str:
        check_text(value, f"the unknown field {name[:40]!r}")
    elif not (value is None or kind in {bool, bytes} or _is_kept_number(value)):
        raise Invalid(f"the unknown field {name[:40]!r} has a value of a type that is not kept")
    return 1


def _check_key(key: Any, name: str) -> None:
    if type(key) is not str:
        raise Invalid(f"the unknown field {name[:40]!r} has a name in it that is no text")
    check_text(key, f"a name in the unknown field {name[:40]!r}")


def _is_kept_number(value: Any) -> bool:
    if type(value) is int:
        return -(_SEQ >> 1) <= value < _SEQ
    return type(value) is float and -_INFINITE < value < _INFINITE


def _blame(event: Event) -> NoReturn:
    for name, text in zip(_TEXTS, _texts(event), strict=True):
        if not isinstance(text, str):
            _wrong(name)
    raise Invalid("the field pairs is not a map of texts")


def _wrong(name: str) -> NoReturn:
    raise Invalid(f"the field {name} has a wrong type or value")
