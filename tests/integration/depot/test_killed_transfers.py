"""A depot or a mirror is killed in the middle of a transfer: what came is kept, and gone on with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from agents.package_cache import PackageCache
from agents.package_download import Depot
from dsmt_core.errors import Unavailable
from tests.integration.depot.depot_process import WAIT_S, running
from tests.integration.depot.depot_process import Depot as Process
from tests.integration.depot.test_mirror import TOKEN, put

BYTES = 16 << 20
HELD = 4 << 20
CHUNK = 1 << 16


class Gate:
    """Stands before a server; of the first answers it lets pass `HELD` bytes and holds the rest back."""

    def __init__(self) -> None:
        self.held, self._cut = asyncio.Event(), asyncio.Event()
        self.server, self.url = "", ""
        self._clients: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def before(self, url: str) -> AsyncIterator[Gate]:
        self.server = url
        listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._cut.set()
            listening.close()
            await asyncio.gather(*self._clients, return_exceptions=True)

    def cut(self) -> None:
        """End what is held; what comes later passes whole."""
        self._cut.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(asyncio.create_task(self._client(reader, writer)))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = urlsplit(self.server)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            answer, request = await asyncio.open_connection(to.hostname, to.port)
            try:
                request.write(await reader.readuntil(b"\r\n\r\n"))
                await self._passed(answer, writer)
            finally:
                request.close()
        writer.close()

    async def _passed(self, answer: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while chunk := await answer.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
            passed += len(chunk)
            if passed >= HELD and not self._cut.is_set():
                self.held.set()
                await self._cut.wait()
                return


def _sent(process: Process) -> int:
    return int(httpx.get(f"{process.url}/v1/health", timeout=WAIT_S).json()["sent"])


async def _at_rest(process: Process) -> int:
    """Bytes that a depot has sent, once it sends no more."""
    sent = -1
    while sent != (sent := await asyncio.to_thread(_sent, process)):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.2)
    return sent


def _kill(process: Process) -> None:
    process.process.kill()
    process.process.wait(WAIT_S)


def _slivers(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "node" / f"sliver{number}" for number in range(20)]
    for each in found:
        each.mkdir(parents=True)
    return found


async def test_a_mirror_that_is_killed_in_the_middle_costs_no_byte_twice(tmp_path: Path) -> None:
    slivers = _slivers(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running(tmp_path / "a") as depot, running(tmp_path / "b", "--mirror-of", depot.url) as mirror:
        package = put(depot, tmp_path / "package", BYTES)
        size = len(package.content)
        async with Gate().before(mirror.url) as gate:
            cache = PackageCache(
                tmp_path / "node" / "cache",
                most_bytes=1 << 30,
                depot=Depot(depot.url, TOKEN, gate.url),
            )
            asked = asyncio.gather(*(cache.fetch(package.digest, size, into=one) for one in slivers))
            await asyncio.wait_for(gate.held.wait(), WAIT_S)
            # Meanwhile the mirror itself went on fetching; what it had got by then is not asked for again.
            await asyncio.to_thread(_kill, mirror)
            before = await _at_rest(depot)
            gate.cut()
            await asyncio.wait_for(asked, WAIT_S)
        assert {(one / package.digest).read_bytes() for one in slivers} == {package.content}
        assert _sent(depot) - before <= size - HELD + CHUNK


@pytest.mark.parametrize("by", ["node", "mirror"])
async def test_a_depot_that_is_killed_in_the_middle_is_gone_on_with_when_it_is_back(
    tmp_path: Path, by: str
) -> None:
    slivers = _slivers(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        depot = stack.enter_context(running(tmp_path / "a"))
        package = put(depot, tmp_path / "package", BYTES)
        size = len(package.content)
        gate = await stack.enter_async_context(Gate().before(depot.url))
        url = gate.url
        if by == "mirror":
            url = stack.enter_context(running(tmp_path / "b", "--mirror-of", gate.url)).url
        cache = PackageCache(tmp_path / "node" / "cache", most_bytes=1 << 30, depot=Depot(url, TOKEN))

        async def all_asked() -> list[str | BaseException]:
            fetching = (cache.fetch(package.digest, size, into=one) for one in slivers)
            return await asyncio.gather(*fetching, return_exceptions=True)

        asked = asyncio.create_task(all_asked())
        await asyncio.wait_for(gate.held.wait(), WAIT_S)
        await asyncio.to_thread(_kill, depot)
        gate.cut()
        failed = await asyncio.wait_for(asked, WAIT_S)
        assert {type(each) for each in failed} == {Unavailable}
        back = stack.enter_context(running(tmp_path / "a"))
        gate.server = back.url
        async with asyncio.timeout(WAIT_S):
            while set(await all_asked()) != {package.digest}:  # noqa: ASYNC110 - a mirror rests first
                await asyncio.sleep(0.1)
        assert {(one / package.digest).read_bytes() for one in slivers} == {package.content}
        assert _sent(back) <= size - HELD + CHUNK
