"""The first phase of an agent's process: brings the deployment agent into being, and says so.

Five states in the name of `sliver-bootstrap`: requested, instantiated, initialized, installed, and
running once the agent hears its orders. Each is confirmed, or in the outbox, before the next. A record on
disk tells an agent that died from one that was ended: only the first is a change worth telling. An agent of
somebody else is fetched and unpacked on the way (`agents.plugin`), and takes over this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import broker
from agents import state_file
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.service import agent_in_sliver
from agents.deployment_agent.sliver import Sliver
from agents.deployment_agent.voice import Voice
from agents.plugin import Plugin, Program
from agents.scripted import changing
from agents.scripted.identity import BOOTSTRAP, ENDED, agent_text, keep_record
from broker.bus import Bus
from dsmt_core.errors import DsmtError, Invalid, NotFound, Unavailable
from dsmt_core.lifecycle import State
from dsmt_core.names import DEFAULT_AGENT, DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP

Bring = Callable[[], Awaitable[None]]

# The broker may be away for long; the applications must not wait for it.
CONNECT_S: Final = 5.0
LISTEN_S: Final = 5.0
_TRIES: Final = 50
_AGAIN_S: Final = 0.1
_MODULE: Final = "agents.deployment_agent.service"
_NOTHING: Final[Mapping[State, Bring]] = {}
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
        self._record = paths.own / BOOTSTRAP
        self._adopts = False

    async def install(self, bring: Mapping[State, Bring] = _NOTHING) -> None:
        """Up to `installed`; nothing at all where an agent that was ended properly is started again.

        Args:
            bring: what is done before a state is said, or found to be done already.

        Raises:
            NotFound: there is no such agent; that was published as failed.
            DsmtError: it cannot be brought; that was, too.
        """
        before = await self._before()
        missing = "" if bring else self._missing()
        self._adopts = before == ENDED
        if self._adopts:
            for done in bring.values():
                await done()
            await self._keep(State.RUNNING)
            return
        if before and before != State.FAILED:
            await self._say(State.FAILED, "the deployment agent ended unexpectedly")
        if bring and before in {State.REQUESTED, State.FAILED}:
            # It never came to hear its orders: whatever is wrong with it is said once, and not each time.
            await self._keep(State.FAILED)
            for done in bring.values():
                await done()
            return
        if not missing or before != State.FAILED:
            await self._walk(missing, bring)
        if missing:
            raise NotFound(missing, hint=f"setagent --agent {DEFAULT_AGENT}")

    async def running(self) -> None:
        """The agent hears its orders."""
        if not self._adopts:
            await self._say(State.RUNNING)
            await self._keep(State.RUNNING)

    async def ended(self) -> None:
        """The agent is ended on purpose: the next one takes over without a word."""
        await self._keep(ENDED)

    async def failed(self, reason: str) -> None:
        """It cannot be started; said once, however often it is tried."""
        if await self._before() != State.FAILED:
            await self._say(State.FAILED, reason)
            await self._keep(State.FAILED)

    async def _walk(self, missing: str, bring: Mapping[State, Bring]) -> None:
        await self._keep(State.REQUESTED)
        await self._say(State.REQUESTED)
        if missing:
            await self._say(State.FAILED, missing)
            await self._keep(State.FAILED)
            return
        for state in (State.INSTANTIATED, State.INITIALIZED, State.INSTALLED):
            if state in bring:
                await self._bring(bring[state])
            await self._say(state)

    async def _bring(self, bring: Bring) -> None:
        try:
            await bring()
        except DsmtError as error:
            await self._say(State.FAILED, error.message)
            await self._keep(State.FAILED)
            raise

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
        if known.get("agent", "") != agent_text(self._config):
            # Another agent was here before; that it ended is what was asked for.
            return ""
        return str(known.get("state", ""))

    async def _say(self, state: State, reason: str = "") -> None:
        await self._voice.state(DEPLOYMENT_AGENT, state, {"reason": reason} if reason else None)

    async def _keep(self, state: str) -> None:
        try:
            await asyncio.to_thread(keep_record, self._record, self._config, state)
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
    await changing.take_back(paths.own, Sliver(paths.run))
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


async def serve(config: AgentConfig, paths: SliverPaths) -> Program | None:
    """The same as a process of its own, with a connection of its own; until it is cancelled.

    Returns:
        what this process is to become, where the agent is somebody else's.

    Raises:
        NotFound: there is no such agent.
        DsmtError: it cannot be brought.
    """
    bus = broker.connect(config.way, name=f"dsmt-agent {config.slice} {config.host}")
    try:
        try:
            await bus.start(wait_s=CONNECT_S)
        except DsmtError as error:
            _LOG.warning("%s; the agent goes on without it", error)
        if config.agent_package is not None:
            return await _installed(config, paths, bus)
        await live(config, paths, bus)
        return None
    finally:
        await bus.close()


async def _installed(config: AgentConfig, paths: SliverPaths, bus: Bus) -> Program:
    """An agent of somebody else, up to `installed`; `running` it says itself, once it hears its orders."""
    config = replace(config, boot_id=f"{config.boot_id}.{await _life(paths)}")
    assert config.agent_package is not None  # noqa: S101 - the caller has looked
    plugin = Plugin(config.agent_package, paths, Sliver(paths.run))
    bootstrap = Bootstrap(config, paths, bus)
    await bootstrap.install({State.INSTANTIATED: plugin.fetch, State.INITIALIZED: plugin.unpack})
    try:
        await asyncio.to_thread(changing.hand_over, paths.own)
        return await asyncio.to_thread(plugin.program, config)
    except Invalid as error:
        await bootstrap.failed(error.message)
        raise


async def _life(paths: SliverPaths) -> str:
    # Without it nobody can tell whether the applications run; better no agent than a wrong guess.
    sliver = Sliver(paths.run)
    for _ in range(_TRIES):
        with contextlib.suppress(Unavailable):
            return await sliver.life()
        await asyncio.sleep(_AGAIN_S)
    return await sliver.life()
