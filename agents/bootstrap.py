"""The first phase of an agent's process: brings the deployment agent into being, and says so.

Five states in the name of `sliver-bootstrap`: requested, instantiated, initialized, installed, and
running once the agent hears its orders. Each is confirmed, or in the outbox, before the next. A record on
disk tells an agent that died from one that was ended: only the first is a change worth telling.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import broker
from agents import state_file
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.service import agent_in_sliver
from agents.deployment_agent.sliver import Sliver
from agents.deployment_agent.voice import Voice
from broker.bus import Bus
from dsmt_core.errors import DsmtError, NotFound, Unavailable
from dsmt_core.lifecycle import State
from dsmt_core.names import DEFAULT_AGENT, DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP

FILE: Final = "bootstrap.json"
# The broker may be away for long; the applications must not wait for it.
CONNECT_S: Final = 5.0
LISTEN_S: Final = 5.0
_TRIES: Final = 50
_AGAIN_S: Final = 0.1
_ENDED: Final = "ended"
_MODULE: Final = "agents.deployment_agent.service"
_LOG = logging.getLogger(__name__)


class Bootstrap:
    """Publishes the life cycle of one deployment agent.

    Args:
        config: whose agent.
        paths: where its sliver is for this process.
        bus: PsEPR, started.
    """

    def __init__(self, config: AgentConfig, paths: SliverPaths, bus: Bus) -> None:
        self._config = config
        self._voice = Voice(config, SLIVER_BOOTSTRAP, bus)
        self._record = paths.own / FILE
        self._adopts = False

    async def install(self) -> None:
        """Up to `installed`; nothing at all where an agent that was ended properly is started again.

        Raises:
            NotFound: there is no such agent; that was published as failed.
        """
        before = await self._before()
        missing = self._missing()
        self._adopts = before == _ENDED
        if self._adopts:
            await self._keep(State.RUNNING)
            return
        if before and before != State.FAILED:
            await self._say(State.FAILED, "the deployment agent ended unexpectedly")
        if not missing or before != State.FAILED:
            await self._walk(missing)
        if missing:
            raise NotFound(missing, hint=f"setagent --agent {DEFAULT_AGENT}")

    async def running(self) -> None:
        """The agent hears its orders."""
        if not self._adopts:
            await self._say(State.RUNNING)
            await self._keep(State.RUNNING)

    async def ended(self) -> None:
        """The agent is ended on purpose: the next one takes over without a word."""
        await self._keep(_ENDED)

    async def _walk(self, missing: str) -> None:
        await self._keep(State.REQUESTED)
        await self._say(State.REQUESTED)
        if missing:
            await self._say(State.FAILED, missing)
            await self._keep(State.FAILED)
            return
        for state in (State.INSTANTIATED, State.INITIALIZED, State.INSTALLED):
            await self._say(state)

    def _missing(self) -> str:
        """Why the agent's program is not here; the default one needs no fetching."""
        if self._config.agent == DEFAULT_AGENT and importlib.util.find_spec(_MODULE) is not None:
            return ""
        return f"there is no agent {self._config.agent!r} on this node"

    async def _before(self) -> str:
        """How far an earlier agent of this life of the sliver came; empty when this is the first."""
        loaded = await asyncio.to_thread(state_file.load, self._record)
        known: dict[str, Any] = loaded.value or {}
        if known.get("boot_id") != self._config.boot_id:
            return ""
        return str(known.get("state", ""))

    async def _say(self, state: State, reason: str = "") -> None:
        await self._voice.state(DEPLOYMENT_AGENT, state, {"reason": reason} if reason else None)

    async def _keep(self, state: str) -> None:
        value = {"boot_id": self._config.boot_id, "state": str(state)}
        try:
            await asyncio.to_thread(_save, self._record, value)
        except OSError as error:
            # Without the record the next agent tells too much, which harms nobody.
            _LOG.warning("%s cannot be written: %s", self._record, error.strerror)


async def live(config: AgentConfig, paths: SliverPaths, bus: Bus) -> None:
    """Bootstrap, then the agent, on a bus that was started; until it is cancelled.

    Raises:
        NotFound: there is no such agent.
        Unavailable: the sliver's init does not answer.
    """
    config = replace(config, boot_id=f"{config.boot_id}.{await _life(paths)}")
    bootstrap = Bootstrap(config, paths, bus)
    await bootstrap.install()
    agent = agent_in_sliver(config, paths, bus)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(agent.run())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await agent.listening.wait()
            await bootstrap.running()
            agent.begin()
    except asyncio.CancelledError:
        await bootstrap.ended()
        raise


async def serve(config: AgentConfig, paths: SliverPaths) -> None:
    """The same as a process of its own, with a connection of its own; until it is cancelled.

    Raises:
        NotFound: there is no such agent.
    """
    bus = broker.connect(config.broker, name=f"dsmt-agent {config.slice} {config.host}")
    try:
        try:
            await bus.start(wait_s=CONNECT_S)
        except DsmtError as error:
            _LOG.warning("%s; the agent goes on without it", error)
        await live(config, paths, bus)
    finally:
        await bus.close()


async def _life(paths: SliverPaths) -> str:
    # Without it nobody can tell whether the applications run; better no agent than a wrong guess.
    sliver = Sliver(paths.run)
    for _ in range(_TRIES):
        with contextlib.suppress(Unavailable):
            return await sliver.life()
        await asyncio.sleep(_AGAIN_S)
    return await sliver.life()


def _save(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state_file.save(path, value)
