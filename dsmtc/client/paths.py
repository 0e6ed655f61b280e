"""Paths of the planner's HTTP interface: names become segments that no server walks up or down with."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from dsmt_core.errors import Invalid

_SHOWN: Final = 80
_HOST: Final = 253


def base(url: str) -> SplitResult:
    """The parts of a planner's URL.

    Raises:
        Invalid: it is none.
    """
    refused = Invalid(f"{url[:_SHOWN]!r} is not the URL of a planner", hint="such as http://127.0.0.1:7080")
    try:
        parts = urlsplit(url)
        legal = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise refused from None
    if not legal or parts.query or parts.fragment or parts.username or not _is_host(parts.hostname or ""):
        raise refused
    return parts


def _is_host(name: str) -> bool:
    """Whether a name can be looked up at all; of other letters it is as long as it is written there."""
    try:
        return len(name.encode("idna")) <= _HOST and not any(one.isspace() for one in name)
    except UnicodeError:
        return False


def of_slice(slice_: str, *words: str) -> str:
    """The path of a slice, or of something below it."""
    return "/".join(["/v1/slices", word(slice_), *map(word, words)])


def word(text: str) -> str:
    """One segment of a path; never empty.

    Raises:
        Invalid: it has a slash, or is a step up or down.
    """
    if text in {"", ".", ".."} or "/" in text:
        raise Invalid(f"{text!r} is not a name", hint="a name has no slash")
    return quote(text, safe="")
