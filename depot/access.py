"""Who asks: two secrets, made by the planner and kept in one file. The nodes' may only read.

Rule of this file: what is not known is refused, and a comparison takes the same time whatever is sent.
"""

from __future__ import annotations

import hmac
import json
import secrets
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied, Invalid, NotFound, Unauthenticated

_FILE_BYTES: Final = 1 << 16
_LEAST: Final = 16


class Caller(StrEnum):
    """Who sent a request."""

    PLANNER = "planner"
    NODE = "node"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The bearer tokens of the planner and of the nodes."""

    planner: str
    node: str

    @classmethod
    def read(cls, path: Path) -> Secrets:
        """Those of a JSON file ``{"planner": …, "node": …}`` that only its owner can read.

        Raises:
            NotFound: there is no such file.
            Invalid: others can read it, or it does not hold two different secrets of 16 characters or more.
        """
        return cls._read(path)

    @classmethod
    def of_mirror(cls, path: Path) -> Secrets:
        """The same for a mirror, whose file need hold the nodes' only.

        Raises:
            NotFound, Invalid: as `read`.
        """
        return cls._read(path, planner=secrets.token_urlsafe(32))

    @classmethod
    def _read(cls, path: Path, planner: str = "") -> Secrets:
        if not path.is_file():
            raise NotFound(
                f"there is no secret file {path}",
                hint='the planner makes it; or write {"planner": "…", "node": "…"}',
            )
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Invalid(f"others than its owner can read {path}", hint=f"chmod 600 {path}")
        with path.open(encoding="utf-8") as file:
            text = file.read(_FILE_BYTES)
        try:
            record = json.loads(text)
            read = cls(planner or str(record["planner"]), str(record["node"]))
        except (ValueError, KeyError, TypeError) as error:
            raise _unusable(path) from error
        if not read.is_usable:
            raise _unusable(path)
        return read

    @property
    def is_usable(self) -> bool:
        """Whether both are long enough, and not the same."""
        return min(len(self.planner), len(self.node)) >= _LEAST and self.planner != self.node

    def caller(self, authorization: str) -> Caller:
        """Who sent the header ``Authorization``.

        Raises:
            Unauthenticated: it is missing, or nobody's.
        """
        scheme, _, token = authorization.partition(" ")
        sent = token.strip().encode()
        # Both are compared always, so that the time does not tell which one was nearly right.
        is_planner = hmac.compare_digest(sent, self.planner.encode())
        is_node = hmac.compare_digest(sent, self.node.encode())
        if scheme.lower() != "bearer" or not (is_planner or is_node):
            raise Unauthenticated(
                "the depot does not know the caller", hint="send Authorization: Bearer SECRET"
            )
        return Caller.PLANNER if is_planner else Caller.NODE


def must_be_planner(caller: Caller) -> None:
    """Only the planner changes what the depot holds.

    Raises:
        Denied: it is somebody else.
    """
    if caller is not Caller.PLANNER:
        raise Denied("only the planner may change the depot", hint="use: dsmtc depot put FILE")


def _unusable(path: Path) -> Invalid:
    return Invalid(
        f"{path} does not hold the secrets of the depot",
        hint=f'write {{"planner": "…", "node": "…"}}, two different ones of {_LEAST} characters or more',
    )
