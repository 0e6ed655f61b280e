"""The older part of the audit log, put on a shelf: written to a file, then removed from the database.

Rule: what is removed lies in a file first, and reads there as an export does; a part that is not whole
stays where it is, for people to look at. The log then begins after the last entry that went, and says so.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from dsmt_core.audit import FORMAT, PRUNED, Chain, Entry, Head
from dsmt_core.errors import DsmtError
from planner.audit.act import Act, acting
from planner.store import Database
from planner.store import audit as store

EVERY_S: Final = 3600.0
# At each look so many entries go at most, into one file.
MOST: Final = 100_000
_ROLE: Final = "planner"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long entries stay in the database, seconds (0: for ever), and the folder that they go to then."""

    folder: Path
    keep_s: float = 0.0


class Shelf:
    """Puts away what is older than it is to be kept.

    Args:
        database: with the log.
        keeping: for how long, and where to.
        installation: its id, which each file names.
    """

    def __init__(self, database: Database, keeping: Keeping, installation: str) -> None:
        self._database = database
        self._keeping = keeping
        self._installation = installation

    async def put_away(self, now: float) -> Path | None:
        """What is old enough by now, seconds since the epoch; the file, or None where nothing is.

        Raises:
            DsmtError: the database cannot be read or written, or the file.
        """
        since, through = await self._database.read(store.older, now - self._keeping.keep_s, most=MOST)
        if through is None:
            return None
        entries = await self._whole(since, through)
        if entries is None:
            return None
        try:
            path = await asyncio.to_thread(self._write, since, through, entries)
        except OSError as error:
            raise DsmtError(f"the older part of the audit log cannot be written: {error}") from error
        act = Act(PRUNED, role=_ROLE, change={"through": str(through), "file": path.name}, open=True)
        with acting(act):
            await self._database.write(store.prune, through)
        _log.info("the older part of the audit log was put away", file=str(path), entries=len(entries))
        return path

    async def run(self, now: Callable[[], float]) -> None:
        """Look once an hour, for ever."""
        while True:
            try:
                await self.put_away(now())
            except DsmtError as error:
                _log.warning("the older part of the audit log stays", reason=str(error))
            await asyncio.sleep(EVERY_S)

    async def _whole(self, since: Head, through: Head) -> Sequence[Entry] | None:
        chain, entries = Chain.after(since), list[Entry]()
        while chain.at.number < through.number:
            page = await self._database.read(store.page, chain.at.number)
            some = [entry for entry in page if entry.number <= through.number]
            if not some:
                break
            for entry in some:
                chain.feed(entry)
            entries += some
            if chain.at.number < some[-1].number:
                break
        if chain.wrong or chain.at != through:
            _log.error(
                "the audit log is not whole, so nothing of it is put away",
                findings=chain.findings[:3],
                do="dsmtc audit verify",
            )
            return None
        return entries

    def _write(self, since: Head, through: Head, entries: Sequence[Entry]) -> Path:
        folder = self._keeping.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"audit-{since.number + 1}-{through.number}.jsonl"
        draft = path.with_suffix(".draft")
        first = {
            "audit": FORMAT,
            "installation": self._installation,
            "anchor": str(since),
            "head": str(through),
        }
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            for line in (first, *(entry.record() for entry in entries)):
                file.write(f"{json.dumps(line)}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path
