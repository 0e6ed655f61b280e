"""Running a planner: its API, its depot and the control plane itself, in the event loop of the caller.

The program (`planner.main`) and the embedded world both come in here. Order of an end: the API, the tasks,
the bus, the database, the depot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from broker.bus import Bus
from dsmt_core.errors import DsmtError
from planner.api import create_app
from planner.config import PlannerConfig
from planner.service.depot_process import DepotProcess
from planner.service.http import HttpServer, listening
from planner.service.planner import Planner
from planner.tls.clients import clients_of
from planner.tls.deciding import Way, way
from planner.tls.showing import depot_way, names_of, opened
from planner.viewer import add_viewer


@dataclass(frozen=True, slots=True)
class Running:
    """A planner that answers.

    Attributes:
        url: of its API.
    """

    url: str
    planner: Planner
    server: HttpServer

    async def failure(self) -> BaseException:
        """Wait until a part of it has failed for good; the error."""
        failed = asyncio.ensure_future(self.planner.crew.failure())
        ended = asyncio.ensure_future(self.server.ended())
        try:
            await asyncio.wait({failed, ended}, return_when=asyncio.FIRST_COMPLETED)
            return failed.result() if failed.done() else DsmtError("the HTTP server ended")
        finally:
            failed.cancel()
            ended.cancel()


@asynccontextmanager
async def running(config: PlannerConfig, *, bus: Bus | None = None) -> AsyncIterator[Running]:
    """A planner, its API and (without ``config.depot``) its depot, until the block ends.

    Args:
        config: of the planner; its database was initialised (`planner.setup.initialise`).
        bus: not started yet; by default a connection to ``config.broker``.

    Raises:
        Conflict: the port is in use, another planner has the database, or it is not initialised.
        Unavailable, Denied, Invalid: of the broker, the database or the depot.
    """
    async with AsyncExitStack() as stack:
        bound = listening(config.host, config.port)
        stack.callback(bound.close)
        planner = await Planner.open(config, bus)
        stack.push_async_callback(planner.close)
        tls = await opened(config, planner.database, planner.clock)
        name = names_of(config)[0]
        served = tls if way(config.host, config.wish, has_authority=tls is not None) is Way.TLS else None
        if tls is not None:
            planner.depot.trust(tls.trusting())
            planner.crew.start("certificate", tls.run())
        if not config.depot:
            shows = tls.path if tls and depot_way(config, tls) is Way.TLS else None
            depot = DepotProcess(config, planner.depot.moved, certificate=shows, name=name)
            stack.push_async_callback(depot.close)
            # Before its depot; a second time is nothing.
            stack.push_async_callback(planner.close)
            await depot.start()
            planner.crew.start("depot", depot.watch())
        await _admit(planner, config, served.fingerprint if served else "")
        await planner.start()
        app = create_app(planner, tls, names_of(config))
        feed = add_viewer(app, planner)
        server = HttpServer(app, bound, served.shown.context if served else None, name)
        stack.push_async_callback(server.close)
        stack.callback(planner.tap.close)
        stack.callback(feed.end)
        stack.callback(planner.looking_in.logs.close)
        await server.start()
        yield Running(server.url, planner, server)


async def _admit(planner: Planner, config: PlannerConfig, authority: str) -> None:
    """What nodes are told of the authority that they meet, and what they show to the broker."""
    planner.nodes.entrance.authority = authority
    clients = planner.nodes.certificates.clients = await clients_of(config, planner.database, planner.clock)
    if clients is not None:
        planner.crew.start("certificate of a client", clients.run())


async def run_planner(
    config: PlannerConfig,
    *,
    stop: asyncio.Event,
    bus: Bus | None = None,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Run a planner until ``stop`` is set.

    Args:
        config: of the planner.
        stop: ends it, in order.
        bus: see `running`.
        on_ready: called with the API's URL when it answers.

    Raises:
        DsmtError: it could not start, or a part of it failed for good.
    """
    stopped = asyncio.ensure_future(stop.wait())
    try:
        async with AsyncExitStack() as stack:
            starting = asyncio.ensure_future(stack.enter_async_context(running(config, bus=bus)))
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                await asyncio.wait({starting})
                return
            await _watched(starting.result(), stopped, on_ready)
    finally:
        stopped.cancel()


async def _watched(planner: Running, stopped: asyncio.Future[Any], on_ready: Callable[[str], None]) -> None:
    """Until it is to stop, or has failed."""
    on_ready(planner.url)
    failed = asyncio.ensure_future(planner.failure())
    try:
        either: set[asyncio.Future[Any]] = {stopped, failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
    finally:
        failed.cancel()
