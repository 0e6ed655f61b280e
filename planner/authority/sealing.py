"""Sealing secrets at rest: with a key in a file of the planner's own (mode 0600), made at first use.

Rule: a sealed text says of which slice and name it is, so that it cannot be put in the place of another.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dsmt_core.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Seal:
    """Seals and opens.

    Args:
        path: of the key file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fernet: Fernet | None = None

    def close(self, of: str, content: bytes) -> str:
        """Seal ``content``, which belongs to ``of``; blocks.

        Raises:
            Unavailable: the key cannot be read or made.
        """
        value = {"of": of, "content": base64.b64encode(content).decode()}
        return self._cipher().encrypt(json.dumps(value).encode()).decode()

    def open(self, of: str, sealed: str) -> bytes:
        """The inverse of `close`.

        Raises:
            Unavailable: it was sealed with another key, or as something else.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - as below

        try:
            value = json.loads(self._cipher().decrypt(sealed.encode()))
        except InvalidToken:
            value = {}
        if value.get("of") != of:
            raise Unavailable(
                "a secret cannot be opened: it was sealed with another key",
                hint=f"bring {self._path.name} back, or put the secret again",
            )
        return base64.b64decode(value["content"])

    def _cipher(self) -> Fernet:
        # Loaded when the first secret is used: it is large, and most planners have none.
        from cryptography.fernet import Fernet  # noqa: PLC0415

        if self._fernet is None:
            try:
                self._fernet = Fernet(self._key(Fernet.generate_key()))
            except (OSError, ValueError) as error:
                raise Unavailable(
                    f"the key of the secrets cannot be used: {error}", hint=f"look at {self._path}"
                ) from error
        return self._fernet

    def _key(self, fresh: bytes) -> bytes:
        """The key in the file; ``fresh`` becomes it when there is none."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            if self._path.stat().st_mode & 0o077:
                raise PermissionError(f"{self._path.name} is readable by others: chmod 600") from None
            return self._path.read_bytes().strip()
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        return fresh
