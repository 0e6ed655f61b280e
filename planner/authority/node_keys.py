"""Whether a node that joins has the key that it names, and whether two machines have the same. Pure."""

from __future__ import annotations

from typing import Final

from dsmt_core.ed25519 import verify
from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Host
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


class Lives:
    """The lives of machines (boot ids), as joins have shown them.

    A machine that starts anew has another one, and none comes back: an earlier one that does is a second
    machine with the same claim and key, a copy of the first.
    """

    def __init__(self) -> None:
        self._of: dict[Host, list[str]] = {}

    def is_twofold(self, host: Host, boot_id: str) -> bool:
        """Take note of a join; whether a machine joined that was taken to have ended."""
        lives = self._of.setdefault(host, [])
        if lives and lives[-1] == boot_id:
            return False
        again = boot_id in lives
        if again:
            lives.remove(boot_id)
        lives.append(boot_id)
        del lives[:-_LIVES]
        return again

    def forget(self, host: Host) -> None:
        """The name is free, or another machine has it."""
        self._of.pop(host, None)
