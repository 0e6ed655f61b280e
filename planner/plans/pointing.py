"""Pointing at a place in a text: the line that it is in, and a caret below it."""

from __future__ import annotations

from typing import Final
from unicodedata import east_asian_width

# As much as fits a terminal with what stands before it.
_SHOWN: Final = 72


def pointed(text: str, at: int) -> str:
    """Two lines: what stands around a place, and a caret.

    Args:
        text: as somebody wrote it.
        at: the place, counted from 0.
    """
    at = max(0, min(at, len(text)))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : len(text) if end < 0 else end]
    offset = at - start
    first = max(0, min(offset - _SHOWN // 2, len(line) - _SHOWN))
    shown = "".join(one if one.isprintable() else " " for one in line[first : first + _SHOWN])
    before = "…" if first else ""
    after = "…" if first + _SHOWN < len(line) else ""
    width = sum(2 if east_asian_width(one) in "WF" else 1 for one in before + shown[: offset - first])
    return f"{before}{shown}{after}\n{' ' * width}^"
