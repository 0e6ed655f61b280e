"""Asking sources of facts: real threads, one that hangs, one that fails, and one that is well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from planner.facts import Named
from planner.fleet import Fleet
from planner.service.facts import FactSources

HOST = Host("n1.example.org")


class Source:
    """Answers what a test says."""

    def __init__(self, read: Callable[[], Mapping[str, Mapping[str, object]]]) -> None:
        self.period = 1.0
        self.read = read


@asynccontextmanager
async def asked(**sources: Callable[[], Mapping[str, Mapping[str, object]]]) -> AsyncIterator[FactSources]:
    fleet = Fleet()
    fleet.join(HOST, now=0.0)
    named = [Named(name, f"test:{name}", Source(read)) for name, read in sources.items()]
    loop = asyncio.get_running_loop()
    service = FactSources(named, fleet, loop.time, limit_s=0.2)
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(
    service: FactSources, source: str, *, state: str, trouble: str = "", facts: int | None = None
) -> None:
    async with asyncio.timeout(30):
        while True:
            shown = {one["source"]: one for one in service.shown()["sources"]}[source]
            right = shown["state"] == state and trouble in shown["trouble"]
            if right and facts in {None, shown["facts"]}:
                return
            await asyncio.sleep(0.02)


async def test_one_that_hangs_and_one_that_fails_do_not_disturb_one_that_is_well() -> None:
    go_on, calls = threading.Event(), []

    def hang() -> Mapping[str, Mapping[str, object]]:
        calls.append(threading.current_thread())
        go_on.wait(60)
        return {HOST: {"x": 1}}

    def fail() -> Mapping[str, Mapping[str, object]]:
        raise ZeroDivisionError("no luck")

    async with asked(hangs=hang, fails=fail, well=lambda: {HOST: {"rack": "r7"}}) as service:
        await until(service, "well", state="well")
        await until(service, "fails", state="unknown", trouble="ZeroDivisionError('no luck')")
        await until(service, "hangs", state="unknown", trouble="no answer within 0.2 s")
        # It is not asked a second time while it has not answered the first.
        await until(service, "hangs", state="unknown", trouble="has not answered the last time yet")
        assert len(calls) == 1
        assert "well.rack" in service.shown()["facts"]
        go_on.set()
        await until(service, "hangs", state="well")
        assert "hangs.x" in service.shown()["facts"]


async def test_what_a_source_said_is_unknown_when_it_has_been_silent_for_five_periods() -> None:
    answers: Iterator[Mapping[str, Mapping[str, object]]] = iter([{HOST: {"rack": "r7"}}])
    async with asked(inv=lambda: next(answers)) as service:
        await until(service, "inv", state="troubled", trouble="StopIteration")
        assert service.shown()["sources"][0]["facts"] == 1
        await until(service, "inv", state="unknown", trouble="StopIteration", facts=0)


def test_two_of_one_name_are_refused() -> None:
    named = Named("inv", "file:x", Source(dict))
    with pytest.raises(Invalid, match="same name"):
        FactSources([named, named], Fleet(), lambda: 0.0)
