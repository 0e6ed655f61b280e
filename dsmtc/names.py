"""Names that were mistyped: the error says which one is likely meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from dsmt_core.errors import NotFound

# More names than this are not compared: it takes longer than it helps.
_MOST: Final = 5_000
_LONGEST: Final = 300


def likely(word: str, known: Iterable[str]) -> str:
    """The known name that is most like ``word``; empty when none is like it."""
    names, word = list(known)[:_MOST], word[:_LONGEST]
    if beginning := [name for name in names if name.startswith(word)]:
        return beginning[0] if len(beginning) == 1 else ""
    return next(iter(difflib.get_close_matches(word, names, n=1)), "")


def nearest(word: str, known: Iterable[str], *, what: str, otherwise: str = "") -> NotFound:
    """The error for a name that nothing has.

    Args:
        word: the name.
        known: the names that there are.
        what: that has such names, in the singular.
        otherwise: the hint when none is like it.
    """
    near = likely(word, known)
    return NotFound(
        f"there is no {what} {word[:80]!r}", hint=f"did you mean {near}?" if near else otherwise
    )
