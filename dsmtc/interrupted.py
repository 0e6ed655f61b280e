"""Ctrl-C: what was under way, and what goes on without the command that was ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_GOES_ON: Final[Mapping[str, str]] = {
    "rollout": "the roll-out goes on; dsmtc rollout status --follow shows it, dsmtc rollout abort ends it",
    "configure": "a roll-out that has begun goes on; dsmtc rollout status --follow shows it",
    "nodes drain": "the drain goes on; dsmtc nodes drain HOST --cancel ends it",
    "depot put": "what was sent is kept for a while: putting the same file again goes on there",
    "image": "what was sent is kept for a while: the same again goes on there",
    "exec": "the command goes on there until it ends or its time is over",
    "wait": "what was waited for goes on; dsmtc status tells how it stands",
    "status": "nothing is changed by that",
    "update": "an update that was asked for goes on; dsmtc status tells how it stands",
}
_NOT_KNOWN: Final = "whether the last request was carried out is not known; dsmtc status or audit tells"


def goes_on(words: Sequence[str], *, changing: bool) -> str:
    """What is told to who presses Ctrl-C in the middle of a line; empty: nothing goes on.

    Args:
        words: the verb and what follows.
        changing: a request that changes something was sent, and not answered yet.
    """
    for name in (" ".join(words[:2]), words[0] if words else ""):
        if name in _GOES_ON:
            return f"interrupted; {_GOES_ON[name]}"
    return f"interrupted; {_NOT_KNOWN}" if changing else ""
