"""The event of PsEPR: who says what on which channel, and for how long it holds.

An event carries exactly one payload, whose XML namespace is its type. The attribute payload, the
only one that the parts use, is a field with a value: text, or name=value pairs. Two clocks belong to
it: ``ttl`` bounds its way (delivery), ``expiry`` how long the value holds once heard.

Sources: architecture guide, section Status Messages; field list of the public PsEPR clients.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, make_dataclass
from dataclasses import field as default
from types import MappingProxyType
from typing import Any, Final

from dsmt_core.channels import Channel, routing_key
from dsmt_core.errors import Invalid

ATTRIBUTE: Final = "http://psepr.org/ns/payload/attribute"
ATTRIBUTE_TYPES: Final = frozenset({ATTRIBUTE, "http://psepr.org/xs/payload/attribute"})
DEPLOYMENT_STATUS: Final = "deployment-status"
STATUS: Final = "status"
METRICS: Final = "metrics"
SCHEMA: Final = "1.0"
DELIVERY_TTL_S: Final = 60.0
VALUE_EXPIRY_S: Final = 90.0
# What an event takes besides its texts; measured, roughly.
_EVENT_BYTES: Final = 1_000
# What is said once and never repeated has to outlast whoever is away, and holds until something else is
# said: the two clocks of such an event. Ten years end what nobody will ever take back.
ONCE_TTL_S: Final = 86_400.0
ONCE_EXPIRY_S: Final = 10 * 365 * 86_400.0
ONCE: Final[Mapping[str, float]] = MappingProxyType({"ttl": ONCE_TTL_S, "expiry": ONCE_EXPIRY_S})

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
# What XML 1.0 may contain (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"\\": "\\\\", ",": "\\,", "=": "\\=", "\n": "\\n"}
_UNESCAPES = {"\\": "\\", ",": ",", "=": "=", "n": "\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message of PsEPR.

    Attributes:
        channel: where it is published.
        service: who sends (``<slice>_mgr`` for the parts of a slice).
        instance: which copy of the service (host/path).
        boot_id: which life of the instance; ``seq`` counts from 1 within it.
        seq: a reader drops what is not above the last it has heard from (instance, boot_id).
        id: random, unique.
        sent_at: seconds since the epoch, by the sender's clock.
        payload: the type, an XML namespace.
        field: the attribute's name.
        value: its text; where ``pairs`` is not empty, use `text`.
        pairs: the attribute pairs; never parsed out of ``value``.
        to_service, to_instance: narrow the receivers.
        ttl: delivery time-to-live, seconds.
        expiry: how long the value holds, seconds.
        emit_rate: seconds between repeats; 0 when it is not repeated.
        schema: version of this structure, ``major.minor``.
        traceparent: W3C trace context.
        extra: fields of a newer minor version, kept as they came.
    """

    channel: Channel
    service: str
    instance: str
    boot_id: str
    seq: int
    id: str
    sent_at: float
    payload: str = ATTRIBUTE
    field: str = ""
    value: str = ""
    pairs: Mapping[str, str] = default(default_factory=dict)
    to_service: str = ""
    to_instance: str = ""
    ttl: float = DELIVERY_TTL_S
    expiry: float = VALUE_EXPIRY_S
    emit_rate: float = 0.0
    schema: str = SCHEMA
    traceparent: str = ""
    extra: Mapping[str, Any] = default(default_factory=lambda: _NOTHING)

    @property
    def text(self) -> str:
        """The value as text; pairs are written out when there is no value of its own."""
        return self.value or pairs_text(self.pairs)

    @property
    def state(self) -> str:
        """The state a ``deployment-status`` reports (``status``, or ``state`` in old senders)."""
        if self.field != DEPLOYMENT_STATUS:
            return ""
        return self.pairs.get("status") or self.pairs.get("state", "")

    @property
    def key(self) -> str:
        """Its routing key: the channel's, and for ``deployment-status`` the state as last word."""
        return routing_key(self.channel, self.state)


NAMES: Final = frozenset(known.name for known in fields(Event)) - {"extra"}

# A frozen dataclass sets each field by a call that looks for its name: for an event five times what the
# same fields cost in a class that is not frozen. Every delivery makes an event, so it is drafted in such a
# class, of the same fields and so of the same layout, and is frozen by becoming an `Event`.
_Draft: Final[Any] = make_dataclass(
    "_Draft",
    [
        (known.name, Any, default(default=known.default))
        if known.default_factory is MISSING
        else (known.name, Any, default(default_factory=known.default_factory))
        for known in fields(Event)
    ],
    slots=True,
    kw_only=True,
)


def drafted(known: Mapping[str, Any]) -> Event:
    """The same as ``Event(**known)``, in a fifth of the time.

    Raises:
        TypeError: a field is missing, or there is no such field.
    """
    draft = _Draft(**known)
    draft.__class__ = Event
    event: Event = draft
    return event


def memory_of(event: Event) -> int:
    """About how many bytes ``event`` takes in memory, for bounds."""
    texts = (event.channel, event.instance, event.field, event.value, *event.pairs, *event.pairs.values())
    # What an unknown field holds is not walked through; written out it is as long as it is.
    return _EVENT_BYTES + sum(map(len, texts)) + (len(repr(event.extra)) if event.extra else 0)


def pairs_text(pairs: Mapping[str, str]) -> str:
    """``name=value,name=value``, with comma, equals, backslash and newline escaped."""
    return ",".join(f"{_escaped(name)}={_escaped(value)}" for name, value in pairs.items())


def text_pairs(text: str) -> dict[str, str]:
    """Read `pairs_text` back.

    Raises:
        Invalid: a part has no equals sign, or an escape is unknown.
    """
    pairs: dict[str, str] = {}
    if not text:
        return pairs
    for part in _split(text, ","):
        name, *rest = _split(part, "=")
        if len(rest) != 1:
            raise Invalid(f"{part[:60]!r} is not name=value")
        pairs[_unescaped(name)] = _unescaped(rest[0])
    return pairs


def legal_text(text: str) -> str:
    """``text`` with what XML 1.0 forbids replaced, for what a script prints."""
    return _ILLEGAL_TEXT.sub("\ufffd", text)


def check_text(text: str, what: str) -> str:
    """``text`` if it is legal XML 1.0 text.

    Raises:
        Invalid: it holds a character that XML 1.0 forbids.
    """
    if _ILLEGAL_TEXT.search(text):
        raise Invalid(f"{what} holds a character that is not legal in an event")
    return text


class Sender:
    """Stamps the events of one instance: one sequence number counts all that it sends.

    Args:
        service: in whose name it speaks.
        instance: which copy it is; unique among the living.
        boot_id: which life of the copy; a new one each time the process starts.
    """

    def __init__(self, service: str, instance: str, boot_id: str) -> None:
        self.service = service
        self.instance = instance
        self.boot_id = boot_id
        self._seq = 0

    def event(self, channel: Channel, field_: str, *, now: float, id_: str, **more: Any) -> Event:
        """The next event of this instance.

        Args:
            channel: where it goes.
            field_: the attribute's name.
            now: seconds since the epoch.
            id_: a random id.
            more: further fields of `Event`.
        """
        self._seq += 1
        return drafted(
            {
                "channel": channel,
                "service": self.service,
                "instance": self.instance,
                "boot_id": self.boot_id,
                "seq": self._seq,
                "id": id_,
                "sent_at": now,
                "field": field_,
                **more,
            }
        )


class Doubles:
    """Notices what was heard before: one number for each instance, never a set of ids.

    Args:
        limit: how many instances are remembered; the one heard least recently is forgotten.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._last: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def is_new(self, event: Event) -> bool:
        """Whether ``event`` is above the last heard of its instance; if so it becomes the last.

        One that does not say in which life of its instance it was sent has no order, and is new.
        """
        if not event.boot_id:
            return True
        known = self._last.get(event.instance)
        if known is not None and known[0] == event.boot_id and event.seq <= known[1]:
            return False
        self._last[event.instance] = (event.boot_id, event.seq)
        self._last.move_to_end(event.instance)
        if len(self._last) > self._limit:
            self._last.popitem(last=False)
        return True


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _split(text: str, separator: str) -> list[str]:
    parts, start, index = [], 0, 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == separator:
            parts.append(text[start:index])
            start = index + 1
        index += 1
    return [*parts, text[start:]]


def _unescaped(text: str) -> str:
    pieces, characters = [], iter(text)
    for character in characters:
        if character != "\\":
            pieces.append(character)
            continue
        escaped = next(characters, "")
        if escaped not in _UNESCAPES or not escaped:
            raise Invalid(f"the escape \\{escaped} in {text[:60]!r} is unknown")
        pieces.append(_UNESCAPES[escaped])
    return "".join(pieces)
