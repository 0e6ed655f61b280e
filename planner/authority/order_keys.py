"""The key with which the planner signs orders: in a file of its own (mode 0600), made at first need.

Rule: there is one key at a time. The one before signs that it hands over, and is thrown away: who has
stolen it cannot give orders to whoever has heard of the new one.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dsmt_core.ed25519 import Signer
from dsmt_core.errors import Unavailable
from dsmt_core.signing import MOST_HAND_OVERS, HandOver, key_id

_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class OrderKey:
    """A key, when it was made (seconds since the epoch), and the statements that led to it."""

    signer: Signer
    made_at: float
    hand_overs: tuple[str, ...] = ()


class OrderKeys:
    """The key in the file; what `rotate` of another process has written is seen with the next `current`.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: OrderKey | None = None
        self._seen: tuple[int, int] | None = None

    def current(self) -> OrderKey:
        """The key to sign with; made when there is none.

        Raises:
            Unavailable: the file cannot be read or made.
        """
        try:
            return self._current()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"the key that signs orders cannot be used: {error}", hint=f"look at {self._path}"
            ) from error

    def rotate(self) -> OrderKey:
        """Make another key, to which the present one hands over.

        Raises:
            Unavailable: the file cannot be read or written.
        """
        before, seed = self.current(), secrets.token_bytes(_SEED_BYTES)
        now, signer = time.time(), Signer(seed)
        statement = HandOver(key_id(before.signer.public), signer.public, now)
        statement = replace(statement, signature=before.signer.sign(statement.content))
        statements = (*before.hand_overs, str(statement))[-MOST_HAND_OVERS:]
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            _write(draft, seed, now, statements)
            draft.replace(self._path)
        except OSError as error:
            raise Unavailable(
                f"the new key cannot be kept: {error.strerror}", hint=f"look at {self._path}"
            ) from error
        return self.current()

    def _current(self) -> OrderKey:
        try:
            state = self._path.stat()
        except FileNotFoundError:
            _write(self._path, secrets.token_bytes(_SEED_BYTES), time.time(), ())
            state = self._path.stat()
        seen = (state.st_mtime_ns, state.st_ino)
        if self._known is None or seen != self._seen:
            if state.st_mode & 0o077:
                raise PermissionError(f"{self._path.name} is readable by others: chmod 600")
            self._known, self._seen = _read(self._path), seen
        return self._known


def _read(path: Path) -> OrderKey:
    values = json.loads(path.read_text())
    seed = base64.b64decode(values["seed"], validate=True)
    return OrderKey(Signer(seed), float(values["made_at"]), tuple(map(str, values["hand_overs"])))


def _write(path: Path, seed: bytes, made_at: float, statements: tuple[str, ...]) -> None:
    values = {"seed": base64.b64encode(seed).decode(), "made_at": made_at, "hand_overs": statements}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(values))
        file.flush()
        os.fsync(file.fileno())
