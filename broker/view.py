"""A view of a channel: the current values of all instances at or below it, kept current by a lease.

It begins with what holds already, of which it asks the planner; without a planner it begins empty, and
fills as instances repeat themselves, within one ``emit_rate``. A lease that has ended is asked for again,
without end; meanwhile the values held end one by one, each when its time is over, so that a view is never
wrong for longer than the senders allow. Whenever something was lost, it asks once more for what holds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import TracebackType
from typing import Final, Self

from broker import retry
from broker.asking import Say, snapshot
from broker.bus import Bus, Leases, Link
from dsmt_core.channels import Channel, lies_under
from dsmt_core.errors import Denied, DsmtError, Invalid
from dsmt_core.events import Event
from dsmt_core.hearing import Wants
from dsmt_core.last_values import Key, LastValues
from dsmt_core.rights import PSEPR
from dsmt_core.snapshots import Aged

# Asked for with each lease: so soon a queue is gone whose view died, and so soon one that hears nothing
# any more, although the broker is there, is asked for anew.
LEASE_S: Final = 60.0
# So long entering waits for what holds already. A planner that is there answers within some milliseconds.
FILL_S: Final = 2.0
# So long it waits before it asks once more.
AGAIN_S: Final = 5.0


class View(Mapping[Key, Event]):
    """``async with View(…) as view``: a mapping (channel, instance, field) → event, of what holds now.

    It changes only while its reader awaits something, so what is read in one go belongs together.

    Args:
        bus: gives the bus of the moment: an application whose password has changed has another one.
        channel: what is heard, with everything below.
        wants: which events count.
        say: makes the question for what holds already.
        values: bounded; by default `dsmt_core.last_values.LastValues` with its bounds.

    Attributes:
        filled: whether it was told what held when it began to hear, since when nothing was lost.
        lost: how many deliveries it was too slow for.
        trouble: why it does not hear.
    """

    def __init__(
        self,
        bus: Callable[[], Bus],
        channel: Channel,
        *,
        wants: Wants,
        say: Say,
        values: LastValues | None = None,
    ) -> None:
        self._bus = bus
        self._channel = channel
        self._wants = wants
        self._say = say
        self._values = LastValues() if values is None else values
        self._version = 0
        self._news = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._filling: asyncio.Task[None] | None = None
        self._leased: Bus | None = None
        self._stale = False
        self._ask_at = float("-inf")
        self.filled = False
        self.lost = 0
        self.trouble = ""

    @property
    def current(self) -> bool:
        """Whether it hears; otherwise values may be missing, and `trouble` says why."""
        bus = self._bus()
        return self._leased is bus and bus.health.link in {Link.CONNECTED, Link.BLOCKED}

    @property
    def dropped(self) -> int:
        """How many values had to make room for others."""
        return self._values.dropped

    def by_instance(self, field: str) -> dict[str, Event]:
        """The current values of one field: instance → event."""
        return {key.instance: event for key, event in self.items() if key.field == field}

    async def changes(self) -> AsyncIterator[Self]:
        """The view itself, at once and then after each change; changes close together come as one.

        Also what ends by time is a change, and that the view becomes current or ceases to be.
        """
        seen = -1
        while True:
            if self._task is None:
                return
            if self._task.done():
                self._task.result()
            if seen == self._version:
                await self._news.wait()
                continue
            seen = self._version
            yield self

    async def __aenter__(self) -> Self:
        """Enter when the lease is in place, and it is filled or `FILL_S` is over.

        With the broker away it is entered at once, and not `current`.

        Raises:
            Denied: it may not be heard.
        """
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep(begun))
        self._task.add_done_callback(lambda _: self._changed())
        try:
            await begun
            if self._filling is not None:
                await asyncio.wait({self._filling}, timeout=FILL_S)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def __getitem__(self, key: tuple[str, ...]) -> Event:
        return self._values[Key(Channel(key[0]), *key[1:])]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    async def _keep(self, begun: asyncio.Future[None]) -> None:
        policy = retry.consumer()
        while True:
            try:
                bus = self._bus()
                async with self._lease(bus) as deliveries, self._refilled(bus):
                    self._stand(bus)
                    _tell(begun)
                    async for delivery in deliveries:
                        policy.reset()
                        if delivery.lost:
                            self.lost += delivery.lost
                            self._fill(bus)
                        self._hear(delivery.event, _now())
            except DsmtError as error:
                self.trouble = error.message
                _tell(begun, error if isinstance(error, Denied | Invalid) else None)
            finally:
                self._stand(None)
            await asyncio.sleep(policy.next_s())

    @contextlib.asynccontextmanager
    async def _refilled(self, bus: Bus) -> AsyncIterator[None]:
        """Ask for what holds, now and after each reconnection: a loss is told only with what comes next."""

        async def again() -> None:
            self._fill(bus)

        self._fill(bus)
        forget = bus.on_connected(again)
        try:
            yield
        finally:
            forget()
            await self._end_filling()

    def _fill(self, bus: Bus) -> None:
        """Begin to ask for what holds; if that is going on, once more: what was lost may be younger."""
        self.filled = False
        self._stale = True
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._ask(bus))

    async def _ask(self, bus: Bus) -> None:
        policy = retry.consumer()
        # Who is too slow loses again and again; the planner is not asked as often.
        await asyncio.sleep(max(0.0, self._ask_at - _now()))
        while self._stale:
            self._stale, self._ask_at = False, _now() + AGAIN_S
            try:
                async with contextlib.aclosing(snapshot(bus, self._channel, self._say)) as portions:
                    async for values in portions:
                        self._take(values)
            except (DsmtError, TimeoutError):
                # Nobody answers. It hears what is repeated all the same.
                self._stale = True
                await asyncio.sleep(policy.next_s())
            if self._stale:
                await asyncio.sleep(max(0.0, self._ask_at - _now()))
        self.filled = True
        self._changed()

    def _take(self, values: list[Aged]) -> None:
        for event, age in values:
            if lies_under(event.channel, self._channel) and self._wants.hears(event):
                self._hear(event, _now() - age)
        self._forget()

    def _lease(self, bus: Bus) -> Leases:
        return bus.lease(self._channel, wants=self._wants, exchanges=(PSEPR,), duration_s=LEASE_S)

    def _hear(self, event: Event, heard_at: float) -> None:
        if self._values.hear(event, heard_at):
            self._changed()
            self._wind()

    def _stand(self, leased: Bus | None) -> None:
        """On which bus a lease is in place now, if on any."""
        if leased is not None:
            self.trouble = ""
        if leased is not self._leased:
            self._leased = leased
            self._changed()

    def _changed(self) -> None:
        """Wake who waits, each once."""
        self._version += 1
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()

    def _wind(self) -> None:
        """Be woken when the next value ends."""
        end = self._values.next_end
        if self._timer is not None:
            if self._timer.when() <= end:
                return
            self._timer.cancel()
            self._timer = None
        if end < float("inf"):
            self._timer = asyncio.get_running_loop().call_at(end, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._forget()
        self._wind()

    def _forget(self) -> None:
        if self._values.forget(_now()):
            self._changed()

    async def _end_filling(self) -> None:
        task, self._filling = self._filling, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _end(self) -> None:
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, DsmtError):
                await task


def _tell(begun: asyncio.Future[None], error: DsmtError | None = None) -> None:
    if begun.done():
        return
    if error is None:
        begun.set_result(None)
    else:
        begun.set_exception(error)


def _now() -> float:
    return asyncio.get_running_loop().time()
