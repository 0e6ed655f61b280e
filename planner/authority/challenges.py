"""Challenges for a login by key: what is to be signed, for one account, once, soon. Pure.

A challenge is recognised by its proof, so who asks for many takes no memory; only one that was used is
remembered, until its time is over.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from dsmt_core.errors import Unauthenticated

NAMESPACE: Final = "dsmt-login"
LASTS_S: Final = 60.0
_FIRST: Final = "dsmt-login 1"


class Challenges:
    """Of one installation.

    Args:
        installation: its id; a signature is good for no other.
        secret: of this life of the planner.
    """

    def __init__(self, installation: str, secret: bytes) -> None:
        self._installation = installation
        self._secret = secret
        self._used: dict[str, float] = {}

    def make(self, account: str, *, now: float, nonce: str) -> tuple[str, float]:
        """A challenge, and until when (seconds since the epoch) it may be answered."""
        until = now + LASTS_S
        lines = (
            _FIRST,
            f"installation {self._installation}",
            f"account {account}",
            f"until {until:.3f}",
            f"nonce {nonce}",
        )
        said = "\n".join(lines)
        return f"{said}\nproof {self._proof(said)}\n", until

    def check(self, challenge: str, account: str, *, now: float) -> None:
        """Make sure that it is one of ours, for this account, and may still be answered.

        Raises:
            Unauthenticated: it is not.
        """
        said, _, proof = challenge.rpartition("\nproof ")
        if not hmac.compare_digest(proof.strip().encode(), self._proof(said).encode()):
            raise _refused("is none of this planner")
        _, _, of_account, until, _ = said.split("\n")
        if of_account != f"account {account}":
            raise _refused("is for another account")
        if float(until.partition(" ")[2]) < now:
            raise _refused("is too old")
        if challenge in self._used:
            raise _refused("was answered already")

    def use(self, challenge: str, *, now: float) -> None:
        """It was answered rightly, and is not taken again."""
        self._used = {one: until for one, until in self._used.items() if until > now}
        self._used[challenge] = now + LASTS_S

    def _proof(self, said: str) -> str:
        return hmac.new(self._secret, said.encode(errors="replace"), hashlib.sha256).hexdigest()


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"the challenge {why}", hint="ask for another: POST /v1/login/challenge")
