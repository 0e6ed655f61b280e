"""Carries out the steps of `decide` in the sliver and on the bus, and says how they went.

Rule: nothing is chosen here. Every failure comes back as a reason; only a fault of the program rises.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterable, Sequence

from agents import signed_packages
from agents.deployment_agent import configurations
from agents.deployment_agent.application import Scripts, place
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.configurations import ConfigurationFiles
from agents.deployment_agent.credentials import VARIABLE, CredentialFiles
from agents.deployment_agent.decide import (
    CheckStatus,
    Clean,
    Deployment,
    Done,
    Fetch,
    Forget,
    Found,
    Install,
    Installed,
    Look,
    Outcome,
    Periods,
    Prepare,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
)
from agents.deployment_agent.image import ImageProgram, seen
from agents.deployment_agent.installers.choice import Installers
from agents.deployment_agent.installers.port import Job
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.predecessor import Predecessor
from agents.deployment_agent.secrets import SecretFiles
from agents.deployment_agent.sliver import Ran, Sliver
from agents.deployment_agent.templates import RenderedFiles
from agents.deployment_agent.voice import Voice
from dsmt_core.commands import Order
from dsmt_core.errors import Denied, DsmtError, Invalid
from dsmt_core.images import KIND
from dsmt_core.names import Application
from dsmt_core.nodes import GAVE_UP

_LOG = logging.getLogger(__name__)


class Hands:
    """Performs steps.

    Args:
        config: whose sliver it is.
        paths: where the sliver is.
        voice: how the agent speaks.
        periods: times.

    Attributes:
        predecessor: what the agent before this one has left.
    """

    def __init__(self, config: AgentConfig, paths: SliverPaths, voice: Voice, periods: Periods) -> None:
        self._config = config
        self._paths = paths
        self._voice = voice
        self._periods = periods
        self._sliver = Sliver(paths.run)
        self.predecessor = Predecessor(self._sliver)
        self._installers = Installers(self._sliver, paths)
        self._credentials = CredentialFiles(config, paths)
        self._configurations = ConfigurationFiles(paths)
        self._secrets = SecretFiles(paths, self._sliver)
        self._rendered = RenderedFiles(
            paths, self._sliver, self._secrets, host=config.host, slice_=config.slice
        )
        self._alive: dict[Application, frozenset[int]] = {}

    def concerns(self, pid: int) -> list[Application]:
        """The applications of which ``pid`` was a process when they were last looked at."""
        return [name for name, pids in self._alive.items() if pid in pids]

    async def give_credentials(self, names: Iterable[Application]) -> None:
        """Write anew with what these applications connect to PsEPR: the address may be another one."""
        await asyncio.to_thread(self._credentials.write, list(names))

    async def perform(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        """Carry out ``step`` of the application ``name``."""
        try:
            if isinstance(step, Publish | Report | Forget):
                return await self._tell(name, deployment, step)
            if isinstance(step, Fetch | Prepare | Install):
                check_signed(deployment.record.order, step)
            if isinstance(step, Prepare | Install | Clean | Uninstall):
                await self.predecessor.end_of(name)
            if isinstance(step, Fetch | Clean | Uninstall):
                return await self._get_or_remove(name, step)
            if isinstance(step, Prepare | Install):
                return await self._bring(name, step)
            return await self._process(name, deployment, step)
        except DsmtError as error:
            _LOG.warning("%s of %s: %s", type(step).__name__, name, error)
            full = isinstance(step, Prepare | Install) and self._paths.full
            reason = f"{error.message}; the disk of the sliver is full" if full else error.message
            return Troubled(reason, final=isinstance(error, Invalid))

    async def run(
        self,
        name: Application,
        deployment: Deployment,
        argv: Sequence[str],
        *,
        timeout_s: float,
        limit: int,
    ) -> Ran:
        """Run a command as the application, with the environment of its scripts.

        Args:
            name: of the application.
            deployment: what is known of it.
            argv: the command.
            timeout_s: seconds after which it is killed.
            limit: bytes of its output that are kept.

        Raises:
            Conflict: it cannot be started.
            Unavailable, DeadlinePassed: the init does not answer.
        """
        return await self._scripts(name, deployment).run(argv, timeout_s=timeout_s, limit=limit)

    async def _tell(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        if isinstance(step, Publish | Report):
            await tell(self._voice, name, deployment, step)
        else:
            self._alive.pop(name, None)
            with contextlib.suppress(DsmtError):
                await self._scripts(name, deployment).forget()
            with contextlib.suppress(DsmtError):
                await asyncio.to_thread(self._configurations.remove, name)
            with contextlib.suppress(DsmtError):
                await self._secrets.remove(name)
            with contextlib.suppress(DsmtError):
                await self._rendered.remove(name)
            await asyncio.to_thread(self._credentials.remove, name)
        return Done()

    async def _get_or_remove(self, name: Application, step: Fetch | Clean | Uninstall) -> Outcome:
        match step:
            case Fetch(packages=packages):
                for package in packages:
                    await self._sliver.fetch(package)
            case Clean(receipts=receipts, keep=keep):
                await self._installers.discard(name, receipts, keep)
            case Uninstall(receipt=receipt, more=more):
                for each in (receipt, *more):
                    await self._installers.remove(name, each)
        return Done()

    async def _bring(self, name: Application, step: Prepare | Install) -> Outcome:
        packages = tuple(f"{self._paths.inside_packages}/{package.digest}" for package in step.packages)
        if isinstance(step, Prepare):
            for package in step.keep:
                # Of those that are on the node nothing is fetched; without them it may work as well.
                with contextlib.suppress(DsmtError):
                    await self._sliver.fetch(package)
            job = Job(name, step.version, packages, taken=step.taken)
            return Installed(await self._installers.prepare(job))
        job = Job(name, step.version, packages, step.before, step.prepared, step.taken)
        try:
            return Installed(await self._installers.install(job))
        finally:
            # Nothing of it runs now but what a scriptlet has left: that would pass for the application.
            with contextlib.suppress(DsmtError):
                await self._sliver.signal(name, signal.SIGKILL)

    async def _process(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        scripts = self._scripts(name, deployment)
        match step:
            case Start():
                return await self._start(name, scripts, step)
            case CheckStatus():
                checked, self._alive[name] = await scripts.check(step, self._periods)
                return checked
            case Look(version=version):
                return await self._look(name, version)
            case Stop():
                self._alive.pop(name, None)
                await scripts.stop()
        return Done()

    async def _start(self, name: Application, scripts: Scripts, step: Start) -> Started:
        if (await self._sliver.processes(name)).pids:
            # Whatever the record says: what runs is looked at, and never started beside itself.
            _LOG.warning("%s has processes already and is not started again", name)
            return Started(0, await asyncio.to_thread(self._configurations.read, name))
        await self.give_credentials([name])
        await asyncio.to_thread(self._configurations.write, name, step.configuration)
        await self._secrets.write(name, step.configuration)
        await self._rendered.write(name, step.version, step.configuration)
        return Started(await scripts.start())

    async def _look(self, name: Application, version: str) -> Found:
        found, receipt = await self._installers.found(name, version)
        alive = bool((await self._sliver.processes(name)).pids)
        return Found(found, receipt, alive, await asyncio.to_thread(self._configurations.read, name))

    def _scripts(self, name: Application, deployment: Deployment) -> Scripts:
        record = deployment.record
        env = {
            "DSMT_HOST": self._config.host,
            "DSMT_SLICE": self._config.slice,
            "DSMT_APPLICATION": name,
            "DSMT_VERSION": record.version,
            VARIABLE: self._credentials.inside(name),
            configurations.VARIABLE: self._configurations.inside(name),
            **configurations.variables(record.configuration),
            **self._secrets.variables(name, record.configuration),
            **self._rendered.variables(name, record.configuration),
        }
        where = place(name, record.receipt, self._paths)
        image = seen(self._paths.run) if record.receipt.get("kind") == KIND else None
        if image is not None:
            program = ImageProgram(name, where, env=env, sliver=self._sliver, paths=self._paths)
            return program.of(image)
        return Scripts(name, where, env=env, sliver=self._sliver, paths=self._paths)


def check_signed(order: Order, step: Fetch | Prepare | Install) -> None:
    """Look whether packages are signed as their order demands; those of another order were looked at then.

    Raises:
        Denied: they are not; another order may say otherwise.
    """
    if step.packages == order.packages and (why := signed_packages.of_application(order)):
        raise Denied(why)


async def tell(voice: Voice, name: Application, deployment: Deployment, step: Publish | Report) -> None:
    """Say how far an application is, or how it is doing."""
    if isinstance(step, Report):
        period_s = deployment.record.order.status_period
        await voice.status(name, period_s, status_pairs(deployment))
        if deployment.checked is not None and deployment.checked.metrics:
            await voice.metrics(name, period_s, deployment.checked.metrics)
        return
    _LOG.info("%s is %s %s", name, step.state, step.reason)
    await voice.state(name, step.state, state_pairs(deployment, step))


def state_pairs(deployment: Deployment, step: Publish) -> dict[str, str]:
    """What the event of a change of state says of an application."""
    pairs = {"version": step.version, "generation": str(step.generation)}
    held = deployment.held
    more = {"configuration": held.configuration, "reason": step.reason, GAVE_UP: held.gave_up}
    return pairs | {name: text for name, text in more.items() if text}


def status_pairs(deployment: Deployment) -> dict[str, str]:
    """What a status event says of an application."""
    record, checked = deployment.record, deployment.checked
    code = checked.code if checked is not None else None
    reason = deployment.note or record.reason
    pairs = {
        "state": str(record.state),
        "exit-code": "" if code is None else str(code),
        "text": checked.text if checked is not None else "",
        "version": record.version,
        "generation": str(record.order.generation),
    }
    if configuration := deployment.held.configuration:
        pairs["configuration"] = configuration
    if check := record.order.watch.check:
        pairs["check"] = check
    if gave_up := deployment.held.gave_up:
        pairs[GAVE_UP] = gave_up
    if reason:
        pairs["reason"] = reason
    pairs |= {name: text for name in ("note", "image") if (text := record.receipt.get(name))}
    return pairs
