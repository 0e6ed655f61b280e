"""Passwords: hashed by argon2id, slowly on purpose.

Hashing takes tens of milliseconds and 19 MiB, so it runs in a thread and at most two at a time: a flood of
logins costs its senders time, not the planner its memory.
"""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dsmt_core.errors import Invalid

LEAST: Final = 8
MOST: Final = 1024
_AT_ONCE: Final = 2
# OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked when an account is unknown or has no password, so that the answer takes as long.
_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$YWFhYWFhYWFhYWFhYWFhYQ$mAPKqnyMVkOtwTJ2GRmFMHhHnGZ1fKW2Bq8FVkK5Bq0"
)


def check_password(text: str) -> str:
    """A password that may be set.

    Raises:
        Invalid: it is too short or too long.
    """
    if not LEAST <= len(text) <= MOST:
        raise Invalid(f"a password has at least {LEAST} and at most {MOST} characters")
    return text


def hash_now(password: str) -> str:
    """The hash of a password; blocks for tens of milliseconds."""
    return _HASHER.hash(check_password(password))


class Passwords:
    """Hashes and verifies without blocking the event loop."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The hash of a password.

        Raises:
            Invalid: it is too short or too long.
        """
        async with self._turns:
            return await asyncio.to_thread(hash_now, password)

    async def verify(self, password: str, password_hash: str) -> bool:
        """Whether ``password`` is the one; takes as long when there is none (``password_hash`` empty)."""
        async with self._turns:
            return await asyncio.to_thread(_verify, password[: MOST + 1], password_hash)


def _verify(password: str, password_hash: str) -> bool:
    try:
        _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(password_hash)
