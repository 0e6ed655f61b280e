"""One package on its way from the upstream to the mirror, followed by as many readers as want it.

Rule of this file: readers get bytes as they come, but never the last ones before the digest of the whole
was found right. If it is wrong, everyone's answer ends too short, and nothing of it is kept.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

import structlog

from depot.growing import Growing
from depot.mirror.shelf import Shelf
from depot.mirror.upstream import Coming, Torn, Upstream
from dsmt_core.errors import DsmtError, Full, Invalid, Unavailable

# What readers wait for until the whole was found right; small packages wait whole.
HELD_BYTES: Final = 64 << 10
ATTEMPTS: Final = 10
FRUITLESS: Final = 2
FETCH_S: Final = 1800.0
_FIRST_WAIT_S: Final = 0.1
_MOST_WAIT_S: Final = 5.0

_log = structlog.get_logger("depot")


class Transfer:
    """A package that is being fetched; a `Content` once `begun`.

    Args:
        digest: of the package.
        shelf: where it goes.
        upstream: whence it comes.
    """

    def __init__(self, digest: str, shelf: Shelf, upstream: Upstream) -> None:
        self.digest = digest
        self.size = -1
        self._shelf = shelf
        self._upstream = upstream
        self._growing: Growing | None = None
        self._sound = False
        self._error: DsmtError | None = None
        self._more = asyncio.Condition()
        self._readers = 0
        self._ended = False

    def opened(self) -> None:
        """One reader more, until its `close`."""
        self._readers += 1

    async def begun(self) -> None:
        """Wait until its size is known.

        Raises:
            DsmtError: it cannot be had.
        """
        async with self._more:
            await self._more.wait_for(lambda: self.size >= 0 or self._error is not None)
        if self._error is not None:
            raise self._error

    async def read(self, begin: int, most: int) -> bytes:
        """See `depot.sending.Content`."""
        async with self._more:
            await self._more.wait_for(lambda: self._error is not None or self._safe > begin)
        if self._error is not None:
            raise self._error
        assert self._growing is not None  # noqa: S101 - something has come
        return await asyncio.to_thread(self._growing.read, begin, min(most, self._safe - begin))

    def close(self) -> None:
        """A reader has gone; the transfer goes on for the others, and for those to come."""
        self._readers -= 1
        self._let_go()

    async def run(self) -> None:
        """Fetch it; errors are told to the readers."""
        try:
            async with asyncio.timeout(FETCH_S):
                self._growing = await asyncio.to_thread(self._shelf.torn, self.digest)
                await self._persist(self._growing)
        except DsmtError as error:
            await self._failed(error)
        except TimeoutError:
            await self._failed(Unavailable(f"the depot took longer than {FETCH_S:.0f} s"))
        except OSError as error:
            await self._failed(Unavailable(f"the mirror cannot keep it: {error.strerror or error}"))
        except asyncio.CancelledError:
            await self._failed(Unavailable("the mirror ends"))
            raise
        finally:
            self._shelf.release(self.digest)
            self._ended = True
            self._let_go()

    @property
    def is_wrong(self) -> bool:
        """Whether the upstream sent something else."""
        return isinstance(self._error, Invalid)

    @property
    def _safe(self) -> int:
        """How many bytes readers may have."""
        come = self._growing.size if self._growing else 0
        return come if self._sound else min(come, self.size - HELD_BYTES)

    def _let_go(self) -> None:
        if self._ended and not self._readers and self._growing is not None:
            self._growing.close()

    async def _failed(self, error: DsmtError) -> None:
        _log.warning("not fetched", digest=self.digest, reason=str(error))
        if isinstance(error, Invalid) and self._growing is not None:
            self._growing.path.unlink(missing_ok=True)
        async with self._more:
            self._error = error
            self._more.notify_all()

    async def _persist(self, growing: Growing) -> None:
        fruitless, wait = 0, _FIRST_WAIT_S
        for attempt in range(1, ATTEMPTS + 1):
            had = growing.size
            try:
                await self._attempt(growing)
                break
            except Torn:
                fruitless = 0 if growing.size > had else fruitless + 1
                if fruitless >= FRUITLESS or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - a pause, not a secret
            wait = min(2 * wait, _MOST_WAIT_S)
        await self._settle(growing)

    async def _attempt(self, growing: Growing) -> None:
        async with self._upstream.get(self.digest, growing.size) as coming:
            await self._take_up(growing, coming)
            async for piece in coming.pieces:
                if growing.size + len(piece) > coming.size:
                    raise Invalid("the upstream sent more than it had said")
                await asyncio.to_thread(growing.append, piece)
                async with self._more:
                    self._more.notify_all()
        if growing.size < self.size:
            raise Torn(f"the depot sent {growing.size} of {self.size} bytes")

    async def _take_up(self, growing: Growing, coming: Coming) -> None:
        if self.size not in {-1, coming.size} or coming.begin not in {0, growing.size}:
            raise Invalid("the upstream says another thing about the package than before")
        if coming.begin == 0 and growing.size:
            if self.size >= 0:
                # Readers have some of it: they must not get other bytes behind those.
                raise Full("the upstream cannot go on where it broke off", hint="ask again")
            growing.empty()
        if self.size < 0:
            await asyncio.to_thread(self._shelf.reserve, self.digest, coming.size)
            async with self._more:
                self.size = coming.size
                self._more.notify_all()

    async def _settle(self, growing: Growing) -> None:
        if growing.digest != self.digest:
            raise Invalid(f"what the depot sent as {self.digest[:16]}… is something else")
        await asyncio.to_thread(growing.sync)
        await asyncio.to_thread(self._shelf.keep, growing, self.digest)
        async with self._more:
            self._sound = True
            self._more.notify_all()
