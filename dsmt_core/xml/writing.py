"""An event as PsEPR XML: the form of the architecture guide, with what an event has had since.

Numbers are attributes of ``event``; texts are elements, written as they are. Pairs are
``avpairs``, as in the guide; in the name of a pair (not in its value) backslash and equals are escaped
by a backslash. Fields of a newer minor version stand in ``extra``, each with its type as its name.

Source: architecture guide, section Status Messages.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dsmt_core.events import Event

# A carriage return would be read as a newline, and in an attribute every white space as a blank.
_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE: Final = _IN_TEXT | str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})
_IN_NAME: Final = str.maketrans({"\\": "\\\\", "=": "\\="})
_WORDS: Final = {None: "nothing", True: "true", False: "false"}


def written(event: Event) -> bytes:
    """The document for a legal ``event``, in UTF-8."""
    return "".join(_pieces(event)).encode()


def _pieces(event: Event) -> Iterator[str]:
    yield (
        f'<event schema="{event.schema}" seq="{event.seq}" sent-at="{event.sent_at!r}"'
        f' ttl="{event.ttl!r}" expiry="{event.expiry!r}" emit-rate="{event.emit_rate!r}">'
    )
    yield _element("channel", event.channel)
    if event.to_service:
        instance = _element("instance", event.to_instance) if event.to_instance else ""
        yield f"<to>{_element('service', event.to_service)}{instance}</to>"
    yield _element("service", event.service)
    yield _element("instance", event.instance)
    yield _element("boot-id", event.boot_id)
    yield _element("id", event.id)
    if event.traceparent:
        yield _element("traceparent", event.traceparent)
    yield _element("payload", event.payload)
    yield _element("field", event.field)
    yield from _value(event.value, event.pairs)
    if event.extra:
        yield "<extra>"
        for name, value in event.extra.items():
            yield from _typed(value, name)
        yield "</extra>"
    yield "</event>"


def _value(value: str, pairs: Mapping[str, str]) -> Iterator[str]:
    if not pairs:
        yield _element("value", value)
        return
    yield f"<value>{_element('text', value) if value else ''}<avpairs>"
    for name, text in pairs.items():
        yield _element("av", f"{name.translate(_IN_NAME)}={text}")
    yield "</avpairs></value>"


def _typed(value: Any, name: str | None = None) -> Iterator[str]:
    called = "" if name is None else f' name="{name.translate(_IN_ATTRIBUTE)}"'
    if value is None or isinstance(value, bool):
        yield f"<{_WORDS[value]}{called}/>"
    elif isinstance(value, Mapping):
        yield f"<map{called}>"
        for key, part in value.items():
            yield from _typed(part, key)
        yield "</map>"
    elif isinstance(value, list):
        yield f"<list{called}>"
        for part in value:
            yield from _typed(part)
        yield "</list>"
    else:
        yield _scalar(value, called)


def _scalar(value: Any, called: str) -> str:
    if isinstance(value, str):
        return _element("text", value, called)
    if isinstance(value, bytes):
        return _element("binary", b64encode(value).decode(), called)
    return _element("number", repr(value), called)


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{text.translate(_IN_TEXT)}</{name}>"
