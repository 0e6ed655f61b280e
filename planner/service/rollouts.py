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
from planner.catalogue.parts import ROLLOUT
from planner.fleet import Fleet
from planner.rollout import Policy, Release, Rollout
from planner.rollout.report import foreseen, shown, written
from planner.rollout.turns import Deed, Wish, started, turned
from planner.service.means import Means
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
    """Which version of which application (empty: the newest) to roll out, and how."""

    application: Application
    version: str
    policy: Policy


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
            Conflict: one is on, every host has the version, or a package lacks.
        """
        wish = Wish(by=by, now=self._clock())

        def begun(connection: Connection) -> None:
            before = _stored(connection, slice_, asked.application)
            rollout = started(
                before, asked.application, _release(connection, slice_, asked), asked.policy, wish
            )
            rollouts.store_rollouts(connection, slice_, {asked.application: rollout})

        await self._ledger.change(slice_, begun)
        return self.one(slice_, asked.application)

    async def foresee(self, slice_: Slice, asked: Start, by: str) -> dict[str, Any]:
        """What `start` would do: refused alike, and otherwise the waves with their hosts."""
        wish = Wish(by=by, now=self._clock())

        def thought(connection: Connection) -> tuple[WantedSlice, Rollout]:
            before = _stored(connection, slice_, asked.application)
            release = _release(connection, slice_, asked)
            return before, started(before, asked.application, release, asked.policy, wish)

        wanted, rollout = await self._database.read(thought)
        waves = foreseen(wanted, self._fleet, asked.application, asked.policy)
        return {
            "application": asked.application,
            "from_version": rollout.before,
            "version": rollout.after.version,
            "waves": [
                {"wave": wave.number, "upto": wave.upto, "hosts": list(wave.hosts)} for wave in waves
            ],
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
        "from-version": rollout.before,
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
        there = ", ".join(sorted(found.applications)) or "none"
        raise NotFound(f"the slice {slice_} has no application {application}", hint=f"there are: {there}")
    return found


def _release(connection: Connection, slice_: Slice, asked: Start) -> Release:
    depot = packages.listed(connection, slice_)
    return Release(*applications.resolved_version(slice_, asked.application, asked.version, depot))
