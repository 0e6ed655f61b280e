"""A document becomes a small tree, within bounds that are kept while it is read.

Rule: nothing large is ever built. Entities and document types are refused before they are read,
elements and depth are counted as they open, and a tag with too many attributes never reaches the
parser. The encoding is UTF-8, whatever the document says: the content type means that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from dsmt_core.errors import Invalid

_ATTRIBUTES: Final = 32
# The parser builds a tag with all its attributes before anybody can count them. Each part of this
# pattern stops at the next `<`, and nothing in it is tried twice, so it is linear.
_QUOTED: Final = rb"""(?:"[^"<]*+"|'[^'<]*+')"""
_LONG_TAG: Final = re.compile(rb"<[^<>\"']*+(?:" + _QUOTED + rb"[^<>\"']*+){%d}" % (_ATTRIBUTES + 1))


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a document may be: how many elements, and how deep in one another."""

    elements: int
    depth: int


@dataclass(slots=True)
class Element:
    """One element: its local name (name spaces are not looked at), attributes, children, own text, line."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    line: int = 0

    @property
    def text(self) -> str:
        """The text directly in it, as it stands."""
        return "".join(self.pieces)

    @property
    def whole_text(self) -> str:
        """The text in it and in what is in it, with single spaces."""
        inner = (child.whole_text for child in self.children)
        return " ".join(" ".join((*self.pieces, *inner)).split())


def parse(document: bytes, bounds: Bounds) -> Element:
    """The root of ``document``.

    Raises:
        Invalid: it is not well formed or not UTF-8, declares a document type or entities, or is
            beyond ``bounds``.
    """
    try:
        document.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"the XML is not UTF-8: {error.reason} at byte {error.start}") from None
    if _LONG_TAG.search(document):
        raise Invalid(f"the XML has a tag with more than {_ATTRIBUTES} attributes")
    grown = _Growing(bounds)
    parser = DefusedXMLParser(target=grown, encoding="utf-8", forbid_dtd=True)
    grown.line = lambda: int(parser.parser.CurrentLineNumber)
    try:
        parser.feed(document)
        parser.close()
    except ParseError as error:
        raise Invalid(
            f"the XML is not well formed: {error}",
            hint="xmllint --noout FILE shows the place; often an element is not closed",
        ) from None
    except DefusedXmlException:
        raise Invalid(
            "the XML declares what is not taken: a document type, or entities",
            hint="leave out <!DOCTYPE …> and <!ENTITY …>",
        ) from None
    return grown.root


class _Growing:
    """What the parser reports to."""

    def __init__(self, bounds: Bounds) -> None:
        self.root = Element("")
        self.line: Callable[[], int] = lambda: 0
        self._bounds = bounds
        self._elements = 0
        self._open = [self.root]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > self._bounds.elements:
            raise Invalid(f"the XML has more than {self._bounds.elements} elements")
        if len(self._open) > self._bounds.depth:
            raise Invalid(f"the XML is nested more than {self._bounds.depth} deep")
        known = {_local(name): value for name, value in attributes.items()}
        element = Element(_local(tag), known, line=self.line())
        if len(self._open) == 1:
            self.root = element
        else:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def close(self) -> None:
        """The parser asks for it."""


def _local(name: str) -> str:
    return name.rpartition("}")[2]
