"""Whether a node that joins has the key that it names, and whether two machines have the same. Pure."""

from __future__ import annotations

from typing import Final

from dsmt_core.ed25519 import verify
from dsmt_core.errors import Denied, Invalid
from dsmt_core.signing import out_of_text, public_key

_LIVES: Final = 8


def check(key: str, statement: bytes, signature: str) -> None:
    """Make sure that whoever said ``statement`` has the key.

    Args:
        key: as `dsmt_core.signing.PublicKey`.
        statement: of `dsmt_core.enrolment`.
        signature: URL-safe base64.

    Raises:
        Denied: the signature is not of this key, or the key is none.
    """
    try:
        if verify(public_key(key), statement, out_of_text(signature)):
            return
    except Invalid:
        pass
    raise Denied(
        "the signature of the join is not of the key that it names",
        hint="nothing was changed; is something between node and planner that alters requests?",
    )


def lived(lives: tuple[str, ...], life: str) -> tuple[tuple[str, ...], bool]:
    """The lives of a node, as its joins have shown them, after another join; and whether there are two.

    Each start of a machine, and of its container manager, is another life, and none comes back: an earlier
    one that does is a second machine with the same claim and key, a copy of the first. A disk that was put
    back, or a computer that was off, begins a new one.

    Args:
        lives: those of before, the latest last.
        life: of who joins now.
    """
    if lives and lives[-1] == life:
        return lives, False
    others = tuple(one for one in lives if one != life)
    return (*others, life)[-_LIVES:], len(others) < len(lives)
