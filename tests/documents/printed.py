"""Whether what was printed is what a page says: by its words, as numbers, times and hosts differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_HOST: Final = re.compile(r"\b(?:node|n|h)\d+(?:\.[a-z]+)+\b")
# Numbers with their units, times, versions, digests, addresses; and what only draws.
_VARIES: Final = re.compile(r"^[^\w]*$|\d|^[0-9a-f]{8,}$|^(ms|s|m|h|d|MB|KB|B)$")
_WORD: Final = re.compile(r"[^\s│┃|]+")


def words(line: str) -> list[str]:
    """The words of a line that are the same each time."""
    text = _HOST.sub("HOST", line)
    found = (word.strip(".,;:()…") for word in _WORD.findall(text))
    return [word for word in found if word and not _VARIES.search(word)]


def lacking(expected: Sequence[str], printed: str) -> list[str]:
    """The lines that should have been printed and were not; each is found by its words, in their order."""
    shown = [words(line) for line in printed.splitlines()]
    # A terminal of another width breaks lines elsewhere.
    joined = [each + after for each, after in zip(shown, [*shown[1:], []], strict=True)]
    return [line for line in expected if not any(_in_order(words(line), each) for each in joined)]


def _in_order(wanted: list[str], among: list[str]) -> bool:
    rest = iter(among)
    return all(word in rest for word in wanted)
