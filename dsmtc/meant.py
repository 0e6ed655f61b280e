"""A name that the planner does not know: which one is likely meant. One place for every verb."""

from __future__ import annotations

import re
from typing import Final

from dsmt_core.errors import NotFound
from dsmtc.live_names import LiveNames
from dsmtc.names import likely
from dsmtc.session import Session

_KINDS: Final = {
    "slice": "slices",
    "plan": "plans",
    "node": "nodes",
    "host": "nodes",
    "application": "applications",
    "package": "packages",
    "site": "sites",
    "account": "accounts",
    "secret": "secrets",
}
_WORD: Final = re.compile(r"[\w.:@+-]+")


def with_what_is_meant(session: Session, error: NotFound) -> NotFound:
    """The same error, whose hint names what is likely meant, where that can be told."""
    said = set(_WORD.findall(error.message))
    typed = [word for word in (*session.words[1:], session.named_slice) if word.rpartition("=")[2] in said]
    kinds = dict.fromkeys(kind for word, kind in _KINDS.items() if word in error.message)
    names = LiveNames(session)
    for word in typed:
        bare = word.rpartition("=")[2]
        for kind in kinds:
            known = names.of(kind)
            if bare not in known and (near := likely(bare, known)):
                error.hint = f"did you mean {near}?" + (f" Else: {error.hint}" if error.hint else "")
                return error
    return error
