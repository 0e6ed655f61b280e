"""One life of a deployment agent that happens nowhere: it connects, hears an order, fails, tells, ends.

What a process does for the first time it imports, compiles, caches and allocates; what it has done, a fork
of it shares. The sliver is a directory that is gone afterwards, its init three lines, its broker a
`Peer` of this process: nothing of it is real, and no credential is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from agents import bootstrap
from agents.deployment_agent.config import AgentConfig, config_of
from agents.deployment_agent.paths import SliverPaths
from broker.rabbit.rehearsal import Peer
from broker.topology import agent_queue
from dsmt_core.channels import command_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.ed25519 import Signer
from dsmt_core.events import STATUS, Event, Sender
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice, manager_of, wrapper_of
from dsmt_core.packages import PackageRef
from dsmt_core.rights import NODE_USER, ORDERS, PLANNER
from dsmt_core.signing import SIGNATURE, SIGNED_AT, SIGNED_BY, in_text, key_id, order_content

_HOST: Final = Host("nowhere.example.org")
_SLICE: Final = Slice("rehearsal")
# Nobody else ever believes it.
_SIGNER: Final = Signer(bytes(32))
# It lives until it has told so much: its five states, what it holds, and how an application fails.
TOLD: Final = 9
_MOST_S: Final = 3.0
_ENDS_S: Final = 5.0


def rehearse() -> int:
    """Live through it, and leave nothing open behind; how much was told. Takes at most some seconds."""
    root = logging.getLogger()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device is no path
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        try:
            return asyncio.run(_live())
        finally:
            root.removeHandler(handler)


async def _live() -> int:
    with tempfile.TemporaryDirectory(prefix="dsmt-forks-") as name:
        paths = _sliver(Path(name))
        init = _Init()
        await init.start(paths.run / "init.sock")
        peer = Peer([(_order(), ORDERS, PLANNER)])
        work = asyncio.create_task(bootstrap.serve(_config(await peer.start()), paths))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_MOST_S):
                    while peer.published < TOLD and not work.done():
                        peer.news.clear()
                        await peer.news.wait()
        finally:
            work.cancel()
            await asyncio.wait({work}, timeout=_ENDS_S)
            await init.close()
            await peer.close()
        return peer.published


def _sliver(directory: Path) -> SliverPaths:
    run, app = directory / "run", directory / "app"
    for made in (run, app, directory / "opt", directory / "var"):
        made.mkdir()
    return SliverPaths(
        run=run,
        app=app,
        opt=directory / "opt",
        var=directory / "var",
        own=app / ".dsmt",
        packages=directory,
    )


def _config(port: int) -> AgentConfig:
    return config_of(
        {
            "host": _HOST,
            "slice": _SLICE,
            "broker": f"amqp://{NODE_USER}:@127.0.0.1:{port}/%2F",
            "queue": agent_queue(_SLICE, _HOST),
            "boot_id": "rehearsal",
            "order_keys": _SIGNER.public,
        }
    )


def _order() -> Event:
    """To install what nobody has."""
    name = Application("nothing")
    order = Order(
        verb=Verb.APPCONFIG,
        host=_HOST,
        slice=_SLICE,
        generation=1,
        application=name,
        wrapper=wrapper_of(name),
        version="1-1",
        packages=(PackageRef("0" * 64, 1, "nothing-1-1.noarch.rpm"),),
    )
    channel = command_channel(_SLICE, DEPLOYMENT_AGENT, _HOST)
    more = {"service": manager_of(_SLICE), "value": order.text, "pairs": order.pairs}
    event = Sender("planner", "planner", "rehearsal").event(
        channel, STATUS, now=time.time(), id_="rehearsal", **more
    )
    # Signed, so that the library for it is loaded, and shared by all.
    said = {SIGNED_BY: key_id(_SIGNER.public), SIGNED_AT: repr(time.time())}
    unsigned = replace(event, pairs={**event.pairs, **said})
    signature = in_text(_SIGNER.sign(order_content(unsigned)))
    return replace(unsigned, pairs={**unsigned.pairs, SIGNATURE: signature})


class _Init:
    """Answers as an init in whose sliver nothing runs."""

    def __init__(self) -> None:
        self._clients: set[asyncio.Task[Any]] = set()

    async def start(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def close(self) -> None:
        self._server.close()
        if self._clients:
            await asyncio.wait(self._clients, timeout=_ENDS_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a server's clients are tasks
        self._clients.add(task)
        answers = {"watch": {"watching": True}, "processes": {"pids": [], "exited": {}}}
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                answer = answers.get(json.loads(line)["op"], {"error": "this is a rehearsal"})
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()
