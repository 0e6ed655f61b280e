"""How long something takes, as people write it: ``30``, ``30s``, ``5m``, ``2h``. Pure."""

from __future__ import annotations

import re
from typing import Final

from dsmtc.commandline import Misused

_FORM: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s?([smhd]?)\Z")
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def duration(text: str) -> float:
    """Seconds.

    Raises:
        Misused: it is none.
    """
    read = _FORM.match(text.strip())
    if read is None:
        raise Misused(f"{text[:40]!r} is no time", hint="seconds, or such as 30s, 5m, 2h, 1d")
    return float(read[1]) * _UNITS[read[2]]
