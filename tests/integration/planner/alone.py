"""A planner on a real socket, with a bus in its own process: for what is about HTTP alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from planner.api import create_app
from planner.config import PlannerConfig
from planner.service.http import HttpServer, listening
from planner.service.planner import Planner
from planner.setup import initialise
from tests.integration.planner.conftest import ADMIN, PASSWORD


@asynccontextmanager
async def alone(folder: Path, *, names: Sequence[str] = ()) -> AsyncIterator[int]:
    """The port of a planner that keeps its data below ``folder`` and is reached by ``names``."""
    config = PlannerConfig(
        data=folder / "planner",
        broker=f"memory://planner@{secrets.token_hex(4)}",
        depot="http://depot.example",
        broker_wait=5.0,
    )
    await asyncio.to_thread(initialise, config, ADMIN, PASSWORD)
    planner = await Planner.open(config)
    await planner.start()
    bound = listening("127.0.0.1", 0)
    server = HttpServer(create_app(planner, names=names), bound)
    await server.start()
    yield bound.getsockname()[1]
    await server.close()
    await planner.close()
