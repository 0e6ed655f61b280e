"""The fields of an event out of PsEPR XML, in either of two forms.

An ``event`` with a ``schema`` is what this project writes: every text counts as it stands. One without is
as the architecture guide prints it: white space around texts is layout, and what it does not say
is empty (no ``boot_id``, so nothing can be said about its order; sent at 0, so nothing about its age).
What is not known is kept: elements and attributes become texts of their name.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final

from dsmt_core.errors import Invalid
from dsmt_core.events import SCHEMA
from dsmt_core.legal import PAIRS, VALUES
from dsmt_core.xml.tree import Bounds, Element, parse

_EVENT: Final = Bounds(elements=PAIRS + VALUES + 64, depth=16)
_GUIDE: Final = Bounds(elements=20_000, depth=32)
_NUMBERS: Final = {
    "seq": "seq",
    "sent-at": "sent_at",
    "ttl": "ttl",
    "expiry": "expiry",
    "emit-rate": "emit_rate",
}
_TEXTS: Final = {
    "channel": "channel",
    "service": "service",
    "instance": "instance",
    "boot-id": "boot_id",
    "id": "id",
    "traceparent": "traceparent",
    "payload": "payload",
    "field": "field",
}
_UNSAID: Final[Mapping[str, Any]] = {"instance": "", "boot_id": "", "seq": 1, "id": "", "sent_at": 0.0}
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}\Z")
_FLOAT: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?\Z")
_PAIR: Final = re.compile(r"((?:[^\\=]|\\[\\=])*+)=(.*)\Z", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)")
# Two slips of the guide's printer: `d: deployment-status`, and `>hostname=…`.
_FIELD_SLIP: Final = "d: "
_NAME_SLIP: Final = ">"


def fields_of(body: bytes) -> dict[str, Any]:
    """The fields of the event in ``body``, unknown ones among them; not yet checked.

    Raises:
        Invalid: it is no XML that may be read, or no event.
    """
    root = parse(body, _EVENT)
    if root.name != "event":
        raise Invalid(f"the root of the XML is {root.name[:40]!r}, not event")
    return _fields(root) if "schema" in root.attributes else _guide_fields(root)


def printed_in(document: bytes) -> list[dict[str, Any]]:
    """The fields of each event that a chapter of a guide prints, in their order, counted by ``seq``.

    What it prints between them (an ``event`` without a channel is a remark) is passed over.

    Raises:
        Invalid: it is no XML that may be read, or one of its events is none.
    """
    found: list[dict[str, Any]] = []
    waiting = [parse(document, _GUIDE)]
    while waiting:
        element = waiting.pop()
        if element.name != "event":
            waiting.extend(reversed(element.children))
        elif any(child.name == "channel" for child in element.children):
            found.append(_guide_fields(element) | {"seq": len(found) + 1})
    return found


def _fields(root: Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, text in root.attributes.items():
        number = _NUMBERS.get(name)
        _put(fields, number or name, _number(text) if number else text)
    for child in root.children:
        if child.name in _TEXTS:
            _put(fields, _TEXTS[child.name], _text(child))
        else:
            _OTHERS.get(child.name, _unknown)(fields, child)
    return fields


def _guide_fields(root: Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in root.children:
        if child.name in _TEXTS:
            _put(fields, _TEXTS[child.name], _text(child).strip())
        elif child.name == "value":
            _put_guide_value(fields, child)
        else:
            _unknown(fields, child)
    if "field" in fields:
        fields["field"] = fields["field"].removeprefix(_FIELD_SLIP)
    return {**_UNSAID, "schema": SCHEMA, **fields}


def _put_value(fields: dict[str, Any], value: Element) -> None:
    if not value.children:
        return _put(fields, "value", value.text)
    for child in value.children:
        if child.name == "text":
            _put(fields, "value", _text(child))
        elif child.name == "avpairs":
            _put(fields, "pairs", _pairs(child, _pair))
        else:
            raise Invalid(f"a value holds text or avpairs, not {child.name[:40]!r}")
    return None


def _put_guide_value(fields: dict[str, Any], value: Element) -> None:
    if not value.children:
        return _put(fields, "value", value.text.strip())
    if [child.name for child in value.children] != ["avpairs"]:
        raise Invalid("a value holds text or avpairs")
    return _put(fields, "pairs", _pairs(value.children[0], _guide_pair))


def _put_to(fields: dict[str, Any], to: Element) -> None:
    for child in to.children:
        if child.name not in {"service", "instance"}:
            raise Invalid(f"an event is narrowed to a service and an instance, not {child.name[:40]!r}")
        _put(fields, f"to_{child.name}", _text(child))


def _put_extra(fields: dict[str, Any], extra: Element) -> None:
    for name, value in _named(extra).items():
        _put(fields, name, value)


def _unknown(fields: dict[str, Any], element: Element) -> None:
    _put(fields, element.name, element.whole_text)


_OTHERS: Final[Mapping[str, Callable[[dict[str, Any], Element], None]]] = {
    "value": _put_value,
    "to": _put_to,
    "extra": _put_extra,
}


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    if name in fields:
        raise Invalid(f"the event has {name[:40]!r} twice")
    fields[name] = value


def _pairs(avpairs: Element, read: Callable[[str], tuple[str, str]]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for child in avpairs.children:
        if child.name != "av":
            raise Invalid(f"avpairs hold av, not {child.name[:40]!r}")
        _put(pairs, *read(_text(child)))
    return pairs


def _pair(text: str) -> tuple[str, str]:
    found = _PAIR.match(text)
    if found is None:
        raise Invalid(f"{text[:60]!r} is not name=value")
    return _ESCAPED.sub(r"\1", found[1]), found[2]


def _guide_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.strip().removeprefix(_NAME_SLIP).partition("=")
    if not (name and equals):
        raise Invalid(f"{text[:60]!r} is not name=value")
    return name, value


def _named(element: Element) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for child in element.children:
        if "name" not in child.attributes:
            raise Invalid(f"a {child.name[:40]!r} in a map has no name")
        _put(named, child.attributes["name"], _typed(child))
    return named


def _typed(element: Element) -> Any:
    read = _TYPES.get(element.name)
    if read is None:
        raise Invalid(f"{element.name[:40]!r} is not a type of value")
    return read(element)


def _text(element: Element) -> str:
    if element.children:
        raise Invalid(f"{element.name[:40]!r} holds an element instead of text")
    return element.text


def _number(text: str) -> float:
    if _INTEGER.match(text):
        return int(text)
    if not _FLOAT.match(text):
        raise Invalid(f"{text[:40]!r} is not a number")
    return float(text)


def _binary(element: Element) -> bytes:
    try:
        return b64decode(_text(element), validate=True)
    except ValueError:
        raise Invalid("a binary value is not base64") from None


_TYPES: Final[Mapping[str, Callable[[Element], Any]]] = {
    "nothing": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "text": _text,
    "number": lambda element: _number(_text(element)),
    "binary": _binary,
    "list": lambda element: [_typed(child) for child in element.children],
    "map": _named,
}
