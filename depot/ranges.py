"""Which bytes of a content are asked for: the header ``Range`` (RFC 9110, 14), decided on values.

Rule of this file: one range or the whole. Several at once, and whatever is not legal, are answered with the
whole, as the RFC allows: nobody who resumes asks so, and whoever abuses it gains nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from ``begin`` up to and without ``end``."""

    begin: int
    end: int


class Beyond(Exception):
    """The range begins behind the end."""


def span(asked: str, if_range: str, *, size: int, tag: str) -> Span | None:
    """The bytes that are asked for; None for the whole.

    Args:
        asked: the header ``Range``; empty for none.
        if_range: the header ``If-Range``; empty for none.
        size: of the content, bytes.
        tag: its entity tag, with its quotes.

    Raises:
        Beyond: no byte of the content is in the range.
    """
    found = _ONE.match(asked.strip())
    if not found or (if_range and if_range.strip() != tag):
        return None
    first, last = found.groups()
    if not first:
        return _suffix(last, size)
    begin, end = int(first), int(last) + 1 if last else size
    if last and int(last) < begin:
        return None
    if begin >= size:
        raise Beyond
    return Span(begin, min(end, size))


def _suffix(last: str, size: int) -> Span | None:
    if not last:
        return None
    if not (int(last) and size):
        raise Beyond
    return Span(max(0, size - int(last)), size)
