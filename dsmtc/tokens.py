"""Tokens of earlier logins, so that a command does not pay for a password check each time.

One private file for all planners and accounts. A token is only used when the password at hand (if there
is one) is the one that it was got with: a wrong password is refused here as it is by the planner. What
cannot be read or written costs a login, never an error.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsmt_core.errors import DsmtError
from dsmtc.account import Identity, read_secret

KEPT: Final = 20
# 15 ms: a guess costs something, a command hardly notices. The token lies beside it anyway.
_COST: Final = {"n": 1 << 12, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class Place:
    """For whom and where a token is good."""

    planner: str
    account: str
    role: str

    @property
    def key(self) -> str:
        """One text for the three; none of them contains a space."""
        return f"{self.planner} {self.account} {self.role}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The file ``tokens.json``."""

    path: Path

    def find(self, place: Place, password: str) -> str:
        """The token for a place, got with this password (any, when it is empty); empty if none."""
        entry = self._read()["tokens"].get(place.key)
        if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
            return ""
        if password and not hmac.compare_digest(
            _proof(password, str(entry.get("salt", ""))), str(entry.get("proof", ""))
        ):
            return ""
        return str(entry["token"])

    def keep(
        self, place: Place, token: str, password: str, *, remember: bool = False, key: str = ""
    ) -> str:
        """Keep a token; with ``remember`` its account acts when no other is named, by ``key`` if any.

        Returns:
            Why it could not be kept; empty: it is.
        """
        held = self._read()
        salt = secrets.token_hex(8)
        entry = {"token": token, "salt": salt, "proof": _proof(password, salt) if password else ""}
        entries = {name: old for name, old in held["tokens"].items() if name != place.key}
        entries[place.key] = entry
        if remember:
            held["last"][place.planner] = [place.account, place.role, *filter(None, [key])]
        kept = dict(list(entries.items())[-KEPT:])
        return self._write({"tokens": kept, "last": dict(list(held["last"].items())[-KEPT:])})

    def drop(self, place: Place) -> None:
        """Forget a token, and that its account was the last."""
        held = self._read()
        held["tokens"].pop(place.key, None)
        last = held["last"].get(place.planner)
        if isinstance(last, list) and last[:1] == [place.account]:
            del held["last"][place.planner]
        self._write(held)

    def remembered(self, planner: str) -> Identity:
        """Who logged in last at this planner with ``dsmtc login``."""
        last = self._read()["last"].get(planner)
        if isinstance(last, list) and len(last) in {2, 3}:
            return Identity(str(last[0]), "", str(last[1]), str(last[2]) if last[2:] else "")
        return Identity()

    def _read(self) -> dict[str, dict[str, Any]]:
        empty: dict[str, dict[str, Any]] = {"tokens": {}, "last": {}}
        try:
            read = json.loads(read_secret(self.path) or "{}")
        except (DsmtError, ValueError):
            return empty
        if not isinstance(read, dict):
            return empty
        return {name: read[name] if isinstance(read.get(name), dict) else {} for name in empty}

    def _write(self, held: dict[str, dict[str, Any]]) -> str:
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    json.dump(held, file)
                beside.replace(self.path)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            return error.strerror or str(error)
        return ""


def _proof(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), dklen=16, **_COST).hex()
