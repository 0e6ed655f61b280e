"""What a check-up found, the problems first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dsmtc.client.checkups import Finding
from dsmtc.rendering.table import Piece, View

_ORDER: Final = ("ill", "doubt", "well")
# As a terminal colours it, and as it is written where there are no colours.
_SHOWN: Final = {"ill": ("failed", "WRONG"), "doubt": ("suspect", "doubt"), "well": ("running", "ok")}


def findings(found: Sequence[Finding]) -> View:
    """Each in a line, with what to do below it; then how many there are."""
    width = max((len(one["what"]) for one in found), default=0)
    for one in sorted(found, key=lambda one: _ORDER.index(one["state"]) if one["state"] in _ORDER else 0):
        state, word = _SHOWN.get(one["state"], ("", one["state"]))
        yield Piece(f"{word:<5}", state=state), Piece(f"{one['what']:<{width}} "), Piece(one["said"])
        if one["todo"]:
            yield Piece(" " * (width + 7), kind="faint"), Piece(f"-> {one['todo']}", kind="warning")
    wrong = sum(one["state"] == "ill" for one in found)
    doubts = sum(one["state"] == "doubt" for one in found)
    yield ""
    yield f"{wrong} wrong, {doubts} in doubt, {len(found) - wrong - doubts} well"
