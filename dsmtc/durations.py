"""Lengths of time as people write them: ``90``, ``90s``, ``10m``, ``2h``, ``1d``, ``1h30m``. Pure."""

from __future__ import annotations

import re
from typing import Final

from dsmt_core.errors import Invalid

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhd])")


def seconds(text: str, what: str) -> float:
    """The seconds of a length of time; a bare number is seconds.

    Raises:
        Invalid: it cannot be read.
    """
    whole = f"{text}s" if text[-1:].isdecimal() else text
    parts = _PART.findall(whole)
    if not parts or "".join(number + unit for number, unit in parts) != whole:
        raise Invalid(
            f"{what} {text[:40]!r} is no length of time", hint="such as 90s, 10m, 2h, 1d or 1h30m"
        )
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
