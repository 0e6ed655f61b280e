"""The audit log: every act with its entry, read, looked along, exported and pruned.

An act that cannot be written does not happen: its first write to the database carries the entry in the same
transaction, and what happens elsewhere asks for its entry `before`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from dsmt_core.audit import FORMAT, Chain, Entry, Head, change_of
from dsmt_core.errors import DsmtError
from planner.audit.act import BEGUN, DONE, Act, current
from planner.audit.quiet import Quiet
from planner.audit.words import REFUSALS_ONLY, UNKNOWN_AT_FIRST
from planner.config import PlannerConfig
from planner.service.audit_heads import Heads
from planner.service.audit_shelf import Keeping, Shelf
from planner.service.clock import SteadyClock
from planner.service.voice import Voice
from planner.store import Database
from planner.store import audit as store

_KNOWN: Final = 10_000
_KNOWN_S: Final = 30 * 86_400.0
PLANNER_ROLE: Final = "planner"
_log = structlog.get_logger(__name__)


class Audit:
    """The audit log of this planner.

    Args:
        database: where it is; each of its writes carries the entry of the act that goes on.
        clock: seconds since the epoch.
        heads: remembers how far the log went.
        shelf: puts the older part away; None: all stays.
    """

    def __init__(
        self, database: Database, clock: SteadyClock, heads: Heads, shelf: Shelf | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._heads = heads
        self._shelf = shelf
        self._refusals = Quiet(free=30, every_s=2.0)
        self._strangers = Quiet(free=1, every_s=600.0)
        # However many addresses they come from.
        self._all = Quiet(free=300, every_s=2.0)
        database.accompany(self._beside)

    @classmethod
    def of(
        cls, database: Database, clock: SteadyClock, voice: Voice, config: PlannerConfig, id_: str
    ) -> Audit:
        """The log of the installation with this id, kept for as long as its planner was told."""
        keeping = Keeping(config.audit_folder, config.audit_keep)
        shelf = Shelf(database, keeping, id_) if keeping.keep_s else None
        return cls(database, clock, Heads(config.audit_heads, voice), shelf)

    async def before(self) -> None:
        """Have the act that goes on entered before it happens.

        Raises:
            Unavailable, Full, Conflict: it cannot be written; the act must not happen.
        """
        act = current()
        if act is not None and not act.entered:
            await self._write(act, BEGUN)

    async def note(
        self, word: str, about: str, change: Mapping[str, object], *, slice_: str = "", outcome: str = DONE
    ) -> None:
        """Enter what the planner did by itself.

        Args:
            word: for what it did, such as ``broker.repair``.
            about: as `Entry.about`.
            change: what changed, without secrets.
            slice_: which slice it is about, if one.
            outcome: ``done``, or what went wrong.

        Raises:
            Unavailable, Full, Conflict: it cannot be written.
        """
        act = Act(word, about=about, slice=slice_, role=PLANNER_ROLE, change=dict(change), open=True)
        await self._write(act, outcome)

    async def locked(self, who: str, origin: str) -> None:
        """Enter that too many wrong passwords came: for which account or address, and from where."""
        if self._strangers.tell(f"lock-out {who}", self._clock()) is not None:
            await self.note("login.lock_out", who, {"from": origin})

    async def settle(self, act: Act, outcome: str) -> None:
        """Have the end of an act entered, where its entry does not say it already.

        Args:
            act: that has ended.
            outcome: ``done``, or ``refused: …`` and ``failed: …``.

        Raises:
            Unavailable, Full, Conflict: it cannot be written.
        """
        word = act.known().word
        if outcome == DONE:
            if not act.entered and word not in REFUSALS_ONLY:
                await self._write(act, DONE)
            return
        stranger = not act.account
        kind = f"{word} {act.origin}" if stranger else act.account
        left_out = (self._strangers if stranger else self._refusals).tell(kind, self._clock())
        if stranger and left_out is not None and self._all.tell("", self._clock()) is None:
            return
        if left_out is None:
            return
        if left_out:
            act.note({"left_out_before": left_out})
        await self._write(act, outcome)

    async def listed(self, wish: store.Wish) -> list[dict[str, Any]]:
        """The newest entries that are meant, the oldest of them first."""
        return [entry.record() for entry in await self._database.read(store.found, wish)]

    async def let_in(self) -> Sequence[tuple[str, str]]:
        """Which accounts logged in from where in the last month, the latest last."""
        since = self._clock() - _KNOWN_S
        return await self._database.read(store.seen_at, since=since, most=_KNOWN)

    async def verified(self, known: Mapping[int, str]) -> dict[str, Any]:
        """Look along the whole log; what is wrong with it.

        Args:
            known: digests of entries, by number, as they are remembered elsewhere.
        """
        anchor, head = await self._database.read(_ends)
        chain = Chain.after(anchor, {**self._heads.known(), **known})
        at = anchor.number
        while entries := await self._database.read(store.page, at):
            await asyncio.to_thread(_fed, chain, entries)
            at = entries[-1].number
        chain.end(head, last=(await self._database.read(_ends))[1])
        return {
            "whole": not chain.wrong,
            "entries": chain.count,
            "anchor": str(anchor),
            "head": str(chain.at),
            "wrong": chain.wrong,
            "findings": chain.findings,
        }

    async def exported(self, installation: str) -> AsyncIterator[dict[str, Any]]:
        """The whole log as records: what it is first, then each entry."""
        anchor, head = await self._database.read(_ends)
        yield {"audit": FORMAT, "installation": installation, "anchor": str(anchor), "head": str(head)}
        at = anchor.number
        while at < head.number and (entries := await self._database.read(store.page, at)):
            for entry in entries:
                if entry.number <= head.number:
                    yield entry.record()
            at = entries[-1].number

    async def prune(self, through: Head) -> dict[str, Any]:
        """Remove what was exported, up to an entry.

        Raises:
            NotFound, Conflict: see `planner.store.audit.prune`.
        """
        removed = await self._database.write(store.prune, through)
        return {"removed": removed, "anchor": str(through)}

    async def run(self) -> None:
        """Remember how far the log went, and put the older part away, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._heads.run(lambda: self._database.read(store.head)))
            if self._shelf is not None:
                tasks.create_task(self._shelf.run(self._clock))

    async def close(self) -> None:
        """Remember it once more."""
        try:
            await self._heads.remember(await self._database.read(store.head))
        except DsmtError as error:
            _log.warning("the head of the audit log was not remembered", reason=str(error))

    def _beside(self) -> _Carried | None:
        act = current()
        if act is None or act.entered:
            return None
        if not act.open and act.known().word not in UNKNOWN_AT_FIRST:
            # A write before it is known who asks is no part of what is asked.
            return None
        return _Carried(act, self._entry(act, DONE))

    async def _write(self, act: Act, outcome: str) -> None:
        carried = _Carried(act, self._entry(act, outcome))
        await self._database.write(carried)

    def _entry(self, act: Act, outcome: str) -> Entry:
        known = act.known()
        return Entry(
            number=0,
            at_ms=round(self._clock() * 1000),
            account=_text(known.account, 200),
            role=_text(known.role, 16),
            origin=_text(known.origin, 80),
            act=_text(known.word, 80),
            about=_text(known.about, 220),
            slice=_text(known.slice, 80),
            outcome=_text(outcome, 300),
            change="",
            before="",
        )


class _Carried:
    """The entry of an act, to be written in the transaction of its first change."""

    def __init__(self, act: Act, entry: Entry) -> None:
        self._act = act
        self._entry = entry
        self._was, act.entered = act.entered, True

    def __call__(self, connection: Connection) -> None:
        # Only now, when the change was made, everything is noted.
        store.append(connection, replace(self._entry, change=change_of(self._act.change)))

    def undone(self) -> None:
        self._act.entered = self._was


def _ends(connection: Connection) -> tuple[Head, Head]:
    return store.anchor(connection), store.head(connection)


def _fed(chain: Chain, entries: list[Entry]) -> None:
    for entry in entries:
        chain.feed(entry)


def _text(text: str, most: int) -> str:
    """What every database takes: no NUL, no half of a pair, and not too long."""
    return text.replace("\0", "").encode(errors="replace").decode()[:most]
