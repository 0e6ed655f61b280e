"""Wanted in memory, always as the database has it; the one way to change either.

A change by people and the commit of a round exclude each other (`deciding`), so that a round never writes
back placements that somebody has just changed. A change that has begun is finished even when the one who
asked for it has gone: otherwise memory would lag behind the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from dsmt_core.names import Host, Site, Slice
from planner.audit.act import current
from planner.audit.differences import differences
from planner.quota import Quota
from planner.standing import Wish
from planner.steps import SliceChange
from planner.store import Database, site_quotas
from planner.store import wanted as store
from planner.store.slices import no_slice
from planner.store.standings import wish
from planner.wanted import Wanted, WantedSlice

P = ParamSpec("P")
T = TypeVar("T")
Replaced = Callable[[WantedSlice | None, WantedSlice | None], None]


class Ledger:
    """Holds `Wanted`.

    Args:
        database: where it is durable.
        on_change: called with each slice that people changed.
        on_standing: called when people took nodes out of service, or gave them back.
        on_replaced: called with each slice that people or a round changed, as it was and as it is.
    """

    def __init__(
        self,
        database: Database,
        on_change: Callable[[Slice], None],
        on_standing: Callable[[], None] = lambda: None,
        on_replaced: Replaced = lambda _before, _after: None,
    ) -> None:
        self.deciding = asyncio.Lock()
        self._database = database
        self._on_change = on_change
        self._on_standing = on_standing
        self._on_replaced = on_replaced
        self._wanted = Wanted()
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def wanted(self) -> Wanted:
        """Everything that is wanted now; a value, replaced by each change."""
        return self._wanted

    async def load(self) -> None:
        """Read everything from the database."""
        self._wanted = await self._database.read(store.load_wanted)

    def slice(self, name: Slice) -> WantedSlice:
        """One slice.

        Raises:
            NotFound: there is none.
        """
        found = self._wanted.slices.get(name)
        if found is None:
            raise no_slice(name)
        return found

    async def change(
        self,
        slice_: Slice,
        work: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """Have people's change to one slice stored, then let the rounds know.

        Args:
            slice_: which one.
            work: a function of `planner.store`; it and what it raises decide the answer.
            *args: its further arguments.
            **more: the same, by name.
        """
        return await self.change_if(
            slice_, lambda: None, lambda connection: work(connection, *args, **more)
        )

    async def change_if(
        self, slice_: Slice, holds: Callable[[], object], work: Callable[[Connection], T]
    ) -> T:
        """The same, if something holds that no round and nobody else can change meanwhile.

        Args:
            slice_: which one.
            holds: called when nobody else decides; raises to refuse the change.
            work: as in `change`.
        """
        act = current()

        def both(connection: Connection) -> tuple[T, WantedSlice | None]:
            result = work(connection)
            now = store.load_slice(connection, slice_)
            if act is not None:
                act.note(differences(self._wanted.slices.get(slice_), now))
            return result, now

        async def stored() -> T:
            async with self.deciding:
                holds()
                result, now = await self._database.write(both)
                self._replace(slice_, now)
            self._on_change(slice_)
            return result

        return await self._finished(stored())

    async def stand(self, hosts: Collection[Host], said: Wish, *, now: float) -> None:
        """Have people's word about some nodes stored, then let the rounds know.

        Raises:
            NotFound, Invalid, Full, Conflict: of `planner.store.standings.wish`; nothing is changed then.
        """

        async def stored() -> None:
            async with self.deciding:
                standings = await self._database.write(wish, hosts, said, now=now)
                self._wanted = replace(self._wanted, standings=standings)
            self._on_standing()

        await self._finished(stored())

    async def give_site(self, site: Site, *, each: Quota | None, together: Quota | None) -> None:
        """Have stored what the slices of a site may use, then let the rounds know.

        Raises:
            NotFound: there is no such site.
        """

        async def stored() -> None:
            async with self.deciding:
                sites = await self._database.write(site_quotas.give, site, each=each, together=together)
                self._wanted = replace(self._wanted, sites=sites)
            for name, one in self._wanted.slices.items():
                if sites[one.site].site == site:
                    self._on_change(name)

        await self._finished(stored())

    def forget(self, host: Host) -> None:
        """A node is forgotten, and what people wanted of it; the database has forgotten it already."""
        standings = {of: one for of, one in self._wanted.standings.items() if of != host}
        self._wanted = replace(self._wanted, standings=standings)

    async def commit(self, changes: Iterable[SliceChange]) -> None:
        """Store what a round decided; the caller holds `deciding` since before it decided."""

        async def stored() -> None:
            known = self._wanted.slices
            for changed in await self._database.write(store.commit, tuple(changes), known):
                self._replace(changed.name, changed)

        await self._finished(stored())

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    def _replace(self, name: Slice, now: WantedSlice | None) -> None:
        slices = dict(self._wanted.slices)
        before = slices.get(name)
        if now is None:
            slices.pop(name, None)
        else:
            slices[name] = now
        self._wanted = replace(self._wanted, slices=slices)
        self._on_replaced(before, now)
