"""The mirror: what is asked for and not here is fetched once, however many ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from depot.mirror.shelf import Shelf
from depot.mirror.transfer import Transfer
from depot.mirror.upstream import Upstream
from depot.sending import Content
from dsmt_core.errors import Unavailable

TRANSFERS: Final = 8
WAITING: Final = 256
# What the upstream got wrong is not asked for again for this long: the nodes go to the depot meanwhile.
REST_S: Final = 30.0


class Mirror:
    """Packages by digest, from the shelf or the upstream.

    Args:
        shelf: where they are kept.
        upstream: whence they come.
        clock: seconds, of any beginning.
    """

    def __init__(
        self, shelf: Shelf, upstream: Upstream, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shelf = shelf
        self._upstream = upstream
        self._clock = clock
        self._under_way: dict[str, Transfer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(TRANSFERS)
        self._rests: dict[str, float] = {}
        self.fetched = 0

    async def content(self, digest: str) -> Content:
        """A package; the caller closes it.

        Raises:
            NotFound, Denied, Unavailable, Invalid: of the upstream.
            Full: there is no room for it.
        """
        while True:
            before = self.fetched
            if transfer := self._under_way.get(digest):
                return await self._followed(transfer)
            here = await asyncio.to_thread(self._shelf.open, digest)
            if here is not None:
                return here
            # Whatever came while the shelf was looked at lies there now, or is on its way.
            if self.fetched == before and digest not in self._under_way:
                return await self._followed(self._begin(digest))

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._upstream.close()

    async def _followed(self, transfer: Transfer) -> Transfer:
        transfer.opened()
        try:
            await transfer.begun()
        except BaseException:
            transfer.close()
            raise
        return transfer

    def _begin(self, digest: str) -> Transfer:
        now = self._clock()
        self._rests = {of: until for of, until in self._rests.items() if until > now}
        if digest in self._rests:
            raise Unavailable("the depot sent this mirror something else", hint="ask the depot itself")
        if len(self._under_way) >= WAITING:
            raise Unavailable(f"the mirror fetches {WAITING} packages at the moment", hint="ask again")
        transfer = self._under_way[digest] = Transfer(digest, self._shelf, self._upstream)
        task = asyncio.create_task(self._run(transfer), name=f"mirror {digest[:12]}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return transfer

    async def _run(self, transfer: Transfer) -> None:
        try:
            async with self._slots:
                await transfer.run()
        finally:
            self.fetched += 1
            self._under_way.pop(transfer.digest, None)
            if transfer.is_wrong:
                self._rests[transfer.digest] = self._clock() + REST_S
