"""What people do with roll-outs, how they are shown, and what is said of them on the event service."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from dsmt_core.channels import Channel, component_channel
from dsmt_core.errors import Conflict, DsmtError, NotFound
from dsmt_core.names import PLANNER, Application, Slice
from planner import vouched
from planner.catalogue.parts import ROLLOUT
from planner.fleet import Fleet
from planner.foresight import in_waves
from planner.release import Reconfiguration, Release, version_of
from planner.rollout import Policy, Rollout
from planner.rollout.report import shown, written
from planner.rollout.turns import Deed, Wish, is_everywhere, started, turned
from planner.service.means import Means
from planner.service.previews import check_index, written_foresight
from planner.service.requests import Tell
from planner.service.rounds import Rounds
from planner.store import applications, packages, rollouts
from planner.store.slices import no_slice
from planner.store.wanted import incomplete, load_slice
from planner.wanted import WantedSlice

_WAITING: Final = 1_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """What to roll out, and how.

    Attributes:
        application: which.
        version: of its wrapper; empty: the newest in the depot, or with a ``reconfiguration`` the slice's.
        policy: how.
        reconfiguration: of its configuration; None: it stays.
        index: of what was foreseen; only if that is so still. Empty: in any case.
    """

    application: Application
    version: str
    policy: Policy
    reconfiguration: Reconfiguration | None = None
    index: str = ""


class Rollouts:
    """Every method raises `NotFound` for a slice or an application that does not exist."""

    def __init__(self, means: Means, fleet: Fleet, rounds: Rounds) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = fleet
        self._rounds = rounds

    async def start(self, slice_: Slice, asked: Start, by: str) -> dict[str, Any]:
        """Start a roll-out.

        Raises:
            NotFound: the depot has no such version.
            Conflict: one is on, every host has the release, a package lacks, or ``index`` is not of now.
            Invalid, Full: the configuration is not legal.
        """
        wish = Wish(by=by, now=self._clock())
        _, release = await self._database.read(_asked_for, slice_, asked)

        def holds() -> None:
            if asked.index:
                now = self._ledger.slice(slice_)
                found = in_waves(now, self._fleet, asked.application, release, asked.policy)
                check_index(asked.index, found.index)

        def begun(connection: Connection) -> None:
            before, release = _asked_for(connection, slice_, asked)
            rollout = started(before, asked.application, release, asked.policy, wish)
            rollouts.store_rollouts(connection, slice_, {asked.application: rollout})

        await self._ledger.change_if(slice_, holds, begun)
        return self.one(slice_, asked.application)

    async def foresee(self, slice_: Slice, asked: Start, by: str) -> dict[str, Any]:
        """What `start` would do: nothing where all have it, refused alike, else waves with their hosts."""
        wish = Wish(by=by, now=self._clock())
        wanted, release = await self._database.read(_asked_for, slice_, asked)
        if not is_everywhere(wanted, asked.application, release):
            started(wanted, asked.application, release, asked.policy, wish)
        return written_foresight(in_waves(wanted, self._fleet, asked.application, release, asked.policy))

    async def configure(self, slice_: Slice, asked: Start, by: str) -> dict[str, Any]:
        """Roll out another configuration; the same one again is no change and no error.

        Raises:
            NotFound, Conflict, Invalid, Full: as `start`.
        """
        wanted, release = await self._database.read(_asked_for, slice_, asked)
        if not is_everywhere(wanted, asked.application, release):
            await self.start(slice_, asked, by)
        return self.configured(slice_, asked.application)

    def configured(self, slice_: Slice, application: Application) -> dict[str, Any]:
        """The configuration of an application, and the one that is being rolled out.

        Raises:
            NotFound: there is no such application.
        """
        wanted = self._ledger.slice(slice_)
        if application not in wanted.applications:
            raise _no_application(wanted, application)
        one, rollout = wanted.applications[application], wanted.rollouts.get(application)
        active = rollout if rollout is not None and rollout.is_active else None
        return {
            "application": application,
            "version": one.version,
            "configuration": one.configuration.values,
            "digest": one.configuration.digest,
            "rollout": None if active is None else self._shown(wanted, application),
            "coming": None if active is None else active.after.configuration.values,
        }

    async def do(self, slice_: Slice, application: Application, deed: Deed, wish: Wish) -> dict[str, Any]:
        """Pause, resume, promote or abort.

        Raises:
            NotFound: there never was a roll-out.
            Conflict: it is not in a phase in which this can be done.
        """
        wish = replace(wish, now=self._clock())

        def done(connection: Connection) -> None:
            before = _stored(connection, slice_, application)
            rollout = turned(before, application, deed, wish)
            rollouts.store_rollouts(connection, slice_, {application: rollout})

        await self._ledger.change(slice_, done)
        return self.one(slice_, application)

    def one(self, slice_: Slice, application: Application) -> dict[str, Any]:
        """The latest roll-out of an application, with its progress.

        Raises:
            NotFound: there never was one.
        """
        wanted = self._ledger.slice(slice_)
        if application not in wanted.rollouts:
            raise NotFound(f"there is no roll-out of {application} in {slice_}", hint="dsmtc rollout start")
        return self._shown(wanted, application)

    def all(self, slice_: Slice) -> list[dict[str, Any]]:
        """The latest roll-out of each application of a slice."""
        wanted = self._ledger.slice(slice_)
        return [self._shown(wanted, name) for name in sorted(wanted.rollouts)]

    async def history(self, slice_: Slice, application: Application) -> list[dict[str, Any]]:
        """The roll-outs of an application that are kept, the latest first."""
        self._ledger.slice(slice_)
        found = await self._database.read(rollouts.history, slice_, application)
        return [written(application, one) for one in found]

    def _shown(self, wanted: WantedSlice, application: Application) -> dict[str, Any]:
        waiting = self._rounds.waiting(wanted.name)
        reasons = [one.reason for one in waiting if one.application == application and not one.host]
        return shown(wanted, self._fleet, application, reasons)


class RolloutNews:
    """Says each step of a roll-out on the planner's channel of its slice, in order.

    It compares what is wanted before and after each change, whoever made it. Events are hints: what could
    not be said, or was decided right before the planner died, is not said again.

    Args:
        tell: publishes an event of the planner: slice, channel, field, pairs.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._to_say: deque[tuple[Slice, dict[str, str]]] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()

    def changed(self, before: WantedSlice | None, after: WantedSlice | None) -> None:
        """A slice is wanted otherwise now."""
        if after is None:
            return
        known = before.rollouts if before is not None else {}
        for name, rollout in after.rollouts.items():
            if _step(known.get(name)) != _step(rollout):
                self._to_say.append((after.name, _pairs(name, rollout)))
                self._news.set()

    async def run(self) -> None:
        """Say it, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._to_say:
                slice_, pairs = self._to_say.popleft()
                channel = Channel(f"{component_channel(slice_, PLANNER)}status/")
                try:
                    await self._tell(slice_, channel, ROLLOUT, pairs)
                except DsmtError as error:
                    _log.warning("a step of a roll-out was not said", slice=slice_, reason=str(error))


def _step(rollout: Rollout | None) -> tuple[object, ...]:
    """What makes a change worth saying; how many are well within a wave is not."""
    if rollout is None:
        return ()
    return rollout.number, rollout.phase, rollout.wave, len(rollout.failed)


def _pairs(application: Application, rollout: Rollout) -> dict[str, str]:
    return {
        "application": application,
        "number": str(rollout.number),
        "phase": rollout.phase,
        "version": rollout.after.version,
        "from-version": version_of(rollout.before),
        "changes": "; ".join(rollout.changes),
        "wave": str(rollout.wave + 1),
        "waves": str(len(rollout.policy.waves)),
        "failures": str(len(rollout.failed)),
        "reason": rollout.reason,
    }


def _stored(connection: Connection, slice_: Slice, application: Application) -> WantedSlice:
    found = load_slice(connection, slice_)
    if found is None:
        raise no_slice(slice_)
    if application not in found.applications:
        missing = incomplete(connection, slice_).get(application)
        if missing:
            raise Conflict(f"{application} waits: {missing}", hint="put what is missing into the depot")
        raise _no_application(found, application)
    return found


def _no_application(slice_: WantedSlice, application: Application) -> NotFound:
    there = ", ".join(sorted(slice_.applications)) or "none"
    return NotFound(f"the slice {slice_.name} has no application {application}", hint=f"there are: {there}")


def _asked_for(connection: Connection, slice_: Slice, asked: Start) -> tuple[WantedSlice, Release]:
    """The slice as stored, and the release that is asked for."""
    before, wish = _stored(connection, slice_, asked.application), asked.reconfiguration
    now = before.applications[asked.application]
    configuration = now.configuration if wish is None else wish.of(now.configuration)
    if wish is not None and not asked.version:
        return before, replace(now.release, configuration=configuration)
    depot = packages.listed(connection, slice_)
    resolved = applications.resolved_version(slice_, asked.application, asked.version, depot)
    vouched.check(before, resolved[1])
    return before, Release(*resolved, configuration)
