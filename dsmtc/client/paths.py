"""Paths of the planner's HTTP interface: names become segments that no server walks up or down with."""

from __future__ import annotations

from urllib.parse import quote

from dsmt_core.errors import Invalid


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
