"""A monitor: leases ``/``, writes every event but heartbeats down, and lets others wait for one.

What it heard stays in order of arrival, with the time of arrival by the monotonic clock, so that figures
are taken where an operator would see them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

import broker
from broker.bus import Bus
from dsmt_core.channels import ROOT
from dsmt_core.errors import DeadlinePassed
from dsmt_core.events import Event
from dsmt_core.journal import record

Wanted = Callable[[Event], bool]
READY_WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and when it arrived (monotonic seconds)."""

    event: Event
    at: float


class Monitor:
    """Hears everything; use as ``async with Monitor(url, journal=path) as monitor``.

    Args:
        url: of the broker, as an operator.
        journal: the file that gets one JSON line an event; none when not given.
        on_event: called with each event as it arrives.
    """

    def __init__(
        self, url: str, *, journal: Path | None = None, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self.heard: list[Heard] = []
        self._bus: Bus = broker.connect(url, name="monitor")
        self._journal = journal
        self._file: IO[str] | None = None
        self._on_event = on_event
        self._news = asyncio.Condition()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._bus.start(wait_s=READY_WITHIN_S)
        if self._journal is not None:
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._journal.open("w")
        self._task = asyncio.create_task(self._listen(), name="monitor")
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._task, ready}, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.is_set():
            ready.cancel()
            await self.__aexit__()
            raise DeadlinePassed(f"the monitor's lease was not granted within {READY_WITHIN_S:g} s")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._bus.close()
        if self._file is not None:
            self._file.close()

    async def wait_for(self, wanted: Wanted, *, count: int = 1, since: int = 0, within_s: float) -> Heard:
        """The ``count``-th event at or after position ``since`` of `heard` that ``wanted`` accepts.

        Raises:
            DeadlinePassed: it was not heard within ``within_s`` seconds.
        """
        found: list[Heard] = []
        try:
            # Not asyncio.wait_for: on Python 3.11 it can swallow a cancellation.
            async with asyncio.timeout(within_s), self._news:
                while True:
                    found = [heard for heard in self.heard[since:] if wanted(heard.event)]
                    if len(found) >= count:
                        return found[count - 1]
                    await self._news.wait()
        except TimeoutError:
            raise DeadlinePassed(
                f"heard {len(found)} of {count} expected events within {within_s:g} s"
            ) from None

    async def _listen(self) -> None:
        async with self._bus.lease(ROOT) as deliveries:
            self._ready.set()
            async for delivery in deliveries:
                await self._take(delivery.event)

    async def _take(self, event: Event) -> None:
        self.heard.append(Heard(event, time.monotonic()))
        if self._file is not None:
            self._file.write(json.dumps(record(event)) + "\n")
            self._file.flush()
        if self._on_event is not None:
            self._on_event(event)
        async with self._news:
            self._news.notify_all()
