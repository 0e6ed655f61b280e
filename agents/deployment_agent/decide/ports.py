"""A port that is taken: which one a program may have meant, from what it printed. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_TAKEN: Final = re.compile(r"address already in use|EADDRINUSE", re.IGNORECASE)
_PORT: Final = re.compile(r"(?::|\bport[ =:#]+|', )(\d{1,5})\b", re.IGNORECASE)
MOST: Final = 16
_HIGHEST: Final = 65_535


def meant(output: str, check: str) -> list[int]:
    """The ports of which one was taken when a program ended; empty when it says no such thing.

    Args:
        output: the last that it printed.
        check: the URL by which the application is checked; empty for none.
    """
    if not _TAKEN.search(output):
        return []
    checked = urlsplit(check).port if check else None
    said = [int(found) for found in reversed(_PORT.findall(output))]
    # Each once, what is certain first, then what was said last.
    found = dict.fromkeys([*([checked] if checked else []), *said])
    return [port for port in found if 0 < port <= _HIGHEST][:MOST]
