"""The commands of `dsmt-event` for agents that are scripts: orders, state, fetch, start, alive, end.

What is started goes by way of the sliver's init, so it outlives the agent, and the next one finds it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import broker
from agents.deployment_agent.sliver import Sliver
from agents.deployment_agent.voice import Voice
from agents.scripted.changing import end
from agents.scripted.held import Holdings
from agents.scripted.identity import Identity, mine
from agents.scripted.orders import Orders
from agents.scripted.starting import start
from broker.bus import Bus
from dsmt_core.lifecycle import state
from dsmt_core.names import DEPLOYMENT_AGENT, Application, application
from dsmt_core.packages import PackageRef

_DEAD: Final = 1
# Beyond it a change waits in vain: holdings tell it when the broker is back.
_SAY_S: Final = 10.0
_EPILOG: Final = "For the agent of a slice only: docs/how-to/write-an-agent.md."


def run(words: list[str]) -> int:
    """Do what the words say; the exit code.

    Raises:
        DsmtError: it cannot be done.
    """
    arguments = _parser().parse_args(words)
    who = mine(os.environ)
    if arguments.command == "orders":
        return asyncio.run(_orders(who))
    if arguments.command == "state":
        return asyncio.run(_say(who, arguments))
    if arguments.command == "fetch":
        path = asyncio.run(Sliver(who.paths.run).fetch(PackageRef.parse(arguments.package)))
        sys.stdout.write(f"{path}\n")
        return 0
    name = application(arguments.application)
    return asyncio.run(_processes(who, name, arguments))


async def _processes(who: Identity, name: Application, arguments: argparse.Namespace) -> int:
    sliver = Sliver(who.paths.run)
    if arguments.command == "end":
        await end(sliver, name)
    elif arguments.command == "alive":
        return 0 if (await sliver.processes(name)).pids else _DEAD
    else:
        await start(who, sliver, name, arguments.program)
    return 0


async def _orders(who: Identity) -> int:
    async with _connected(who, wait_s=0.0) as bus:
        work = asyncio.create_task(Orders(who, bus, _print).run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, work.cancel)
        await asyncio.wait({work})
        if not work.cancelled():
            with _listener_may_go():
                work.result()
    return 0


@contextlib.contextmanager
def _listener_may_go() -> Iterator[None]:
    """Who read the orders has ended, and is started again with another of these."""
    try:
        yield
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _say(who: Identity, arguments: argparse.Namespace) -> int:
    name, became = application(arguments.application), state(arguments.state)
    holdings = Holdings(who.held)
    before = await asyncio.to_thread(holdings.of, name)
    kept = before.saying(became)
    # Written first: with the broker away it is told by the holdings later.
    await asyncio.to_thread(holdings.keep, name, kept)
    pairs = {"version": kept.version, "generation": str(kept.generation)}
    if arguments.reason:
        pairs["reason"] = arguments.reason
    async with _connected(who, wait_s=_SAY_S) as bus:
        await Voice(who.config, DEPLOYMENT_AGENT, bus).state(name, became, pairs)
    return 0


@asynccontextmanager
async def _connected(who: Identity, *, wait_s: float) -> AsyncIterator[Bus]:
    config = who.config
    bus = broker.connect(
        config.way,
        name=f"{config.agent} {config.slice} {config.host}",
    )
    try:
        await bus.start(wait_s=wait_s)
        yield bus
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SAY_S):
                await bus.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dsmt-event", epilog=_EPILOG)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("orders", help="the orders of this agent, one a line, as they come", epilog=_EPILOG)
    say = commands.add_parser("state", help="say how far an application is", epilog=_EPILOG)
    say.add_argument("application")
    say.add_argument("state", help="requested, instantiated, initialized, running, failed or terminated")
    say.add_argument("--reason", default="", help="one line, with failed")
    fetch = commands.add_parser("fetch", help="have a package; prints where it lies", epilog=_EPILOG)
    fetch.add_argument("package", help="as an order names it")
    begin = commands.add_parser("start", help="start a program of an application", epilog=_EPILOG)
    begin.add_argument("application")
    begin.add_argument("program", nargs="+", help="and its arguments; what it prints goes to its log")
    alive = commands.add_parser("alive", help="exit code 0 while it has processes, else 1", epilog=_EPILOG)
    alive.add_argument("application")
    over = commands.add_parser("end", help="end all its processes, politely first", epilog=_EPILOG)
    over.add_argument("application")
    return parser
