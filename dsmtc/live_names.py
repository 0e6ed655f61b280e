"""Names that the planner knows, for who types: kept for a while, and never waited for longer than a moment.

Nothing here fails and nobody is asked for a password: where a name cannot be had in time, one that was kept
longer is better than none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError
from dsmtc.client import Client
from dsmtc.session import Session

FRESH_S: Final = 15.0
WAIT_S: Final = 0.8
_MOST: Final = 20_000


class LiveNames:
    """The names that a session's caller may see.

    Args:
        session: who asks, and of which slice.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, kind: str) -> list[str]:
        """The names of a kind; empty when none can be had."""
        try:
            place = self._place(kind)
        except DsmtError:
            return []
        kept, age = _kept(place)
        if kept is not None and age < FRESH_S:
            return kept
        found = self._asked(kind)
        if found is None:
            return kept or []
        _keep(place, found)
        return found

    def _asked(self, kind: str) -> list[str] | None:
        ask = _ASK.get(kind)
        if ask is None:
            return None
        with (
            contextlib.suppress(DsmtError, OSError, ValueError, KeyError, TypeError),
            # The connection may be a shell's, whose next command is to wait as long as ever.
            self._session.client.in_a_hurry(WAIT_S) as client,
        ):
            return ask(client, self._session.slice if kind in _OF_SLICES else "")
        return None

    def _place(self, kind: str) -> Path:
        session = self._session
        of = session.named_slice if kind in _OF_SLICES else ""
        said = json.dumps([session.planner, session.identity.account, session.identity.role, of, kind])
        return session.home.folder / "names" / hashlib.sha256(said.encode()).hexdigest()[:32]


def _applications(client: Client, slice_: str) -> list[str]:
    found = client.slice(slice_)["applications"]
    return [str(one["application"]) for one in found if isinstance(one, dict) and "application" in one]


_ASK: Final[dict[str, Callable[[Client, str], list[str]]]] = {
    "slices": lambda client, _: [one["slice"] for one in client.slices()],
    "nodes": lambda client, _: client.node_names(),
    "plans": lambda client, slice_: [one["name"] for one in client.plans(slice_)],
    "functions": lambda client, _: [one["name"] for one in client.functions()],
    "packages": lambda client, slice_: [one["filename"] for one in client.packages(slice_)],
    "applications": _applications,
    "sites": lambda client, _: [one["site"] for one in client.sites()],
    "accounts": lambda client, _: [one["account"] for one in client.accounts()],
    "secrets": lambda client, slice_: [one["name"] for one in client.secrets(slice_)],
}
_OF_SLICES: Final = frozenset({"plans", "packages", "applications", "secrets"})


def _kept(place: Path) -> tuple[list[str] | None, float]:
    with contextlib.suppress(OSError, ValueError):
        names = json.loads(place.read_text())
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names, abs(time.time() - place.stat().st_mtime)
    return None, 0.0


def _keep(place: Path, names: list[str]) -> None:
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = place.with_suffix(f".{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(names[:_MOST]))
        beside.replace(place)
