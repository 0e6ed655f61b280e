"""Lengths of time as people write them: ``90``, ``90s``, ``10m``, ``2h``, ``1d``, ``1h30m``. Pure."""

from __future__ import annotations

import re
from typing import Final

from dsmtc.commandline import Misused

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|[smhd])")


def seconds(text: str, what: str) -> float:
    """The seconds of a length of time; a bare number is seconds.

    Args:
        text: as written.
        what: it is the length of, for the error.

    Raises:
        Misused: it cannot be read.
    """
    bare = text.strip()
    whole = f"{bare}s" if bare[-1:].isdecimal() else bare
    parts = _PART.findall(whole)
    if not parts or "".join(number + unit for number, unit in parts) != whole:
        raise Misused(
            f"{what} {text[:40]!r} is no length of time", hint="such as 90s, 10m, 2h, 1d or 1h30m"
        )
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
