"""Asking the sources of facts: each in a thread of its own, with a limit of time, again and again.

A source that hangs keeps its thread and is not asked again before that has ended; the planner goes on, and
ends without it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from dsmt_core.errors import DsmtError, Invalid
from planner.facts import FactSource, Held, Named, State, taken
from planner.facts.taking import Taken
from planner.fleet import Fleet

LIMIT_S: Final = 10.0
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 86_400.0
_log = structlog.get_logger(__name__)


class FactSources:
    """The sources of facts of this planner.

    Args:
        sources: by their names.
        fleet: what they know goes there.
        clock: seconds.
        limit_s: how long one may take to answer.
    """

    def __init__(
        self,
        sources: Sequence[Named],
        fleet: Fleet,
        clock: Callable[[], float],
        *,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.sources = {one.name: one for one in sources}
        if len(self.sources) < len(sources):
            raise Invalid("two sources of facts have the same name", hint="NAME=KIND:WHERE names one")
        self._held = {name: Held(_period(one.source)) for name, one in self.sources.items()}
        self._fleet = fleet
        self._clock = clock
        self._limit_s = limit_s

    async def run(self) -> None:
        """Ask, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.sources:
                tasks.create_task(self._ask_again(name), name=f"facts {name}")
            await asyncio.Event().wait()

    def shown(self) -> dict[str, Any]:
        """The sources with their trouble, and the names of all facts, as the API shows them."""
        now = self._clock()
        sources = [
            {
                "source": name,
                "asked": self.sources[name].text,
                "state": held.state(now),
                "hosts": len(held.facts),
                "facts": len({fact for facts in held.facts.values() for fact in facts}),
                "read_at": held.read_at,
                "period": held.period,
                "trouble": held.trouble,
            }
            for name, held in self._held.items()
        ]
        return {"sources": sources, "facts": sorted(self._fleet.ground.names)}

    async def _ask_again(self, name: str) -> None:
        held, asked = self._held[name], _Asked(self.sources[name])
        while True:
            was = held.state(self._clock())
            try:
                changed = held.answered(await asked.answer(self._limit_s), self._clock())
            except DsmtError as error:
                changed = held.failed(error.message[:500], self._clock())
            if changed:
                self._fleet.sourced(name, held.facts)
            state = held.state(self._clock())
            if state is not was and (state is not State.WELL or was is not State.WAITING):
                _log.warning("a source of facts", source=name, state=state, trouble=held.trouble)
            # So that many sources of one server do not ask it at once.
            await asyncio.sleep(held.period * random.uniform(0.9, 1.1))  # noqa: S311 - no secret


class _Asked:
    """One source and the thread in which it answers."""

    def __init__(self, named: Named) -> None:
        self._named = named
        self._thread: threading.Thread | None = None

    async def answer(self, within_s: float) -> Taken:
        """What it answers.

        Raises:
            DsmtError: why it does not.
        """
        if self._thread is not None and self._thread.is_alive():
            raise DsmtError("it has not answered the last time yet")
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Taken] = loop.create_future()
        self._thread = threading.Thread(
            target=self._read, args=(loop, answered), name=f"facts {self._named.name}", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(within_s):
                return await answered
        except TimeoutError:
            raise DsmtError(f"no answer within {within_s:g} s") from None

    def _read(self, loop: asyncio.AbstractEventLoop, answered: asyncio.Future[Taken]) -> None:
        try:
            found = taken(self._named.name, self._named.source.read())
        except DsmtError as error:
            _tell(loop, answered, error)
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises is its trouble, not ours
            _tell(loop, answered, DsmtError(f"it failed: {error!r}"))
        else:
            _tell(loop, answered, found)


def _tell(
    loop: asyncio.AbstractEventLoop, answered: asyncio.Future[Taken], what: Taken | DsmtError
) -> None:
    def tell() -> None:
        if not answered.done():
            answered.set_exception(what) if isinstance(what, DsmtError) else answered.set_result(what)

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        # The planner has ended meanwhile.
        return


def _period(source: FactSource) -> float:
    return min(max(float(source.period), SHORTEST_S), LONGEST_S)
