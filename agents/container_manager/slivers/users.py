"""A uid of its own for each sliver, so that two slivers share nothing even where their walls fail."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from agents import state_file
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Full

# Above the users of people and of packages, below 16 bits' worth of the next well-known range.
FIRST_UID: Final = 200_000
UIDS: Final = 65_536


def uid_for(name: str, taken: Collection[int]) -> int:
    """A uid that is not ``taken``; the same name gets the same one as long as it is free.

    Hashed by name, so that several nodes on one machine seldom meet.

    Raises:
        Full: every uid is taken.
    """
    first = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big") % UIDS
    for step in range(UIDS):
        uid = FIRST_UID + (first + step) % UIDS
        if uid not in taken:
            return uid
    raise Full(f"all {UIDS} user ids for slivers are taken", hint="delete slivers that nobody needs")


def owner_for(place: Place) -> tuple[int, int]:
    """Uid and gid for a sliver that has none yet: such as no other of its node has.

    Raises:
        Full: every uid is taken.
    """
    uid = uid_for(f"{place.host}/{place.slice}", taken_below(place.directory.parent))
    return uid, uid


def owner_of(place: Place) -> tuple[int, int] | None:
    """Uid and gid of a sliver; None when it has none of its own."""
    uid = recorded(place.sliver_file)
    return None if uid is None else (uid, uid)


def taken_below(slivers: Path) -> set[int]:
    """The uids that the slivers of a node have."""
    return {uid for path in slivers.glob("*/sliver.json") if (uid := recorded(path)) is not None}


def recorded(path: Path) -> int | None:
    """The uid in a ``sliver.json``; None when it has none of its own."""
    uid = (state_file.load(path).value or {}).get("uid")
    return uid if isinstance(uid, int) and FIRST_UID <= uid < FIRST_UID + UIDS else None
