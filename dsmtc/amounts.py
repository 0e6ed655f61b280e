"""Numbers of bytes as people write them: ``1000``, ``500M``, ``20G``; ``none`` for no bound. Pure."""

from __future__ import annotations

import re
from typing import Final

from dsmtc.commandline import Misused

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AMOUNT: Final = re.compile(r"(\d{1,15})([KMGT]?)B?\Z", re.ASCII)


def bytes_of(text: str) -> int | None:
    """The bytes of a bound; 0 for ``none``, None for ``default``.

    Raises:
        Misused: it cannot be read.
    """
    word = text.strip()
    if word in {"none", "default"}:
        return 0 if word == "none" else None
    found = _AMOUNT.match(word.upper())
    if found is None or not int(found[1]):
        raise Misused(
            f"{text[:40]!r} is not a number of bytes", hint="such as 1000, 500M or 20G; or none, or default"
        )
    return int(found[1]) * _UNITS[found[2]]
