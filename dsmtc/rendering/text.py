"""Text that comes from elsewhere, made harmless for a terminal. Pure.

A name or a status text is written by programs on nodes. Escape sequences, control characters and marks
that turn the direction of writing are shown, never passed on.
"""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Final

CELL: Final = 160
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400

# Controls (C0, DEL, C1), surrogates, line and paragraph separators, marks of direction, tags, and
# invisible characters that could hide or forge something.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """``text`` in one line with nothing in it that a terminal obeys."""
    return _HOSTILE.sub(_shown, text)


def referenced(document: str) -> str:
    """An XML document with the same characters written as references: it says the same, in one line."""
    return _HOSTILE.sub(lambda match: f"&#{ord(match[0])};", document)


def columns(text: str) -> int:
    """How many columns of a terminal a harmless text takes: letters of East Asia take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) > 0 for one in text)


def cut(text: str, limit: int = CELL) -> str:
    """``text``, at most ``limit`` characters, the end marked when it was longer."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def span(seconds: float) -> str:
    """A length of time for people: ``7s``, ``4m``, ``3h``, ``2d``."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    return f"{whole // _HOUR}h" if whole < _DAY else f"{whole // _DAY}d"


def moment(seconds: float) -> str:
    """A moment for people, to the minute, in UTC."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s after 1970"


def since(moment: object, now: float) -> str:
    """How long ago a moment of the planner was: seconds since the epoch, or a text shown as it is."""
    if isinstance(moment, bool) or not moment:
        # The planner says 0 where nothing was heard yet.
        return ""
    return span(now - moment) if isinstance(moment, int | float) else str(moment)


def size(count: int) -> str:
    """A number of bytes for people: ``512 B``, ``1.5 KiB``."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _shown(match: re.Match[str]) -> str:
    number = ord(match[0])
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(match[0])
    if known:
        return known
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
