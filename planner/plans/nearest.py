"""What somebody may have meant: the hint of an error about a name that is not there."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SHOWN: Final = 20
# Comparing costs the square of the length, and nobody means a name that is as long as that.
_LONGEST: Final = 100
# Of a great fleet only the names around it are compared: 2,000 take some tens of milliseconds.
_COMPARED: Final = 2_000


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names as a question, or else which there are."""
    names = sorted(known)
    start = max(0, min(bisect(names, name) - _COMPARED // 2, len(names) - _COMPARED))
    close = get_close_matches(name[:_LONGEST], names[start : start + _COMPARED], n=1)
    if close:
        return f"did you mean {close[0]}?"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:_SHOWN]) or 'none'}{more}"
