"""What people do with slices, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from broker.topology import agent_queue
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import DEFAULT_AGENT, Account, Site, Slice
from planner import vouched
from planner.described import check_described
from planner.fleet import Fleet
from planner.plans import check_in_force
from planner.reconcile.round import ALL_SLICES
from planner.service.means import Means
from planner.service.publishers import written_publishers
from planner.store import accounts, members, sites, slices
from planner.store.slices import NewSlice, People
from planner.store.wanted import incomplete, load_slice
from planner.wanted import NO_PLAN, WantedSlice

_PERIOD: Final = "status_period"
_SHORTEST_S: Final = 0.1
_LONGEST_S: Final = 86_400.0
_log = structlog.get_logger(__name__)


class Slices:
    """Slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where things are kept and said.
        fleet: what is seen: the hosts that plans choose from.
        status_period: seconds between calls of the status scripts, unless the agent's parameters say.
    """

    def __init__(self, means: Means, fleet: Fleet, *, status_period: float) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._bus = means.bus
        self._clock = means.clock
        self._fleet = fleet
        self._status_period = status_period

    async def make(self, new: NewSlice, site: Site) -> list[Account]:
        """Make a slice that belongs to ``site``.

        Accounts that it names and that do not exist are made, with the role user and without a password:
        nobody can log in to them until an admin sets one.

        Returns:
            The accounts that were made.

        Raises:
            Conflict: the slice exists.
            Invalid, NotFound: plan or agent are not known, or a parameter is not legal.
        """
        if new.slice == ALL_SLICES:
            raise Invalid(f"{ALL_SLICES} is a reserved name", hint="choose another name for the slice")
        period = _status_period(new.agent, new.agent_parameters) or self._status_period
        check_described(description=new.description, url=new.url)
        if new.plan != NO_PLAN:
            check_in_force(new.plan, new.plan_parameters, {}, known=self._fleet.ground)

        alive = replace(new, life=int(self._clock() * 1000))

        def made(connection: Connection) -> list[Account]:
            key = sites.stored(connection, site)
            slices.make(connection, replace(alive, site=key))
            slices.set_agent(connection, new.slice, new.agent, new.agent_parameters, period=period)
            people = (new.owner, *new.members)
            return accounts.ensure(connection, people, now=self._clock(), site=key)

        return await self._ledger.change(new.slice, made)

    async def remove(self, slice_: Slice) -> None:
        """Delete a slice; its slivers and all that runs in them go."""
        wanted = self._ledger.slice(slice_)
        await self._ledger.change(slice_, slices.remove, slice_)
        try:
            for host in wanted.hosts.keys() | wanted.retired.keys():
                await self._bus.delete_queue(agent_queue(slice_, host))
        except DsmtError as error:
            # A queue that nobody reads is bounded and empties itself.
            _log.warning("queues of a deleted slice stay", slice=slice_, reason=str(error))

    async def set_managed(self, slice_: Slice, *, managed: bool) -> bool:
        """Put a slice under management or leave it alone; whether that was a change."""
        return await self._ledger.change(slice_, slices.set_managed, slice_, managed=managed)

    async def set_agent(self, slice_: Slice, agent: str, parameters: Mapping[str, str]) -> None:
        """Choose the installation agent.

        Raises:
            NotFound, Invalid: agent or a parameter is not known.
            Denied: its package is not signed by a publisher of the slice.
        """
        period = _status_period(agent, parameters) or self._status_period

        def chosen(connection: Connection) -> None:
            slices.set_agent(connection, slice_, agent, parameters, period=period)
            after = load_slice(connection, slice_)
            if after is not None and after.agent_package is not None:
                vouched.check(after, [after.agent_package.package])

        await self._ledger.change(slice_, chosen)

    async def show(self, slice_: Slice) -> dict[str, Any]:
        """One slice, as the API shows it."""
        wanted = self._ledger.slice(slice_)
        people, waiting, told = await self._database.read(_known, slice_)
        return written_slice(wanted, people, waiting) | told

    async def describe(self, slice_: Slice, description: str | None, url: str | None) -> None:
        """Say what a slice is for; None leaves it as it is.

        Raises:
            Invalid: one of them is not legal.
        """
        said = {"description": description, "url": url}
        named = {name: text for name, text in said.items() if text is not None}
        check_described(**named)
        if named:
            await self._ledger.change(slice_, members.describe, slice_, named)


def written_slice(wanted: WantedSlice, people: People, waiting: Mapping[Any, str]) -> dict[str, Any]:
    """A slice as the API shows it."""
    ready = [
        {
            "application": one.name,
            "version": one.version,
            "wrapper": one.wrapper,
            "run": one.run,
            "restarts": one.restarts,
            "waits_for": "",
        }
        for one in wanted.applications.values()
    ]
    return written_publishers(wanted) | {
        "slice": wanted.name,
        "managed": wanted.managed,
        "owner": people.owner,
        "members": list(people.members),
        "agent": wanted.agent,
        "agent_parameters": dict(wanted.agent_parameters),
        "plan": wanted.plan,
        "plan_parameters": dict(wanted.plan_parameters),
        "generation": wanted.generation,
        "applications": ready
        + [{"application": name, "waits_for": missing} for name, missing in waiting.items()],
    }


def _known(connection: Connection, slice_: Slice) -> tuple[People, dict[Any, str], dict[str, Any]]:
    waiting = dict(incomplete(connection, slice_))
    return slices.people(connection, slice_), waiting, members.told_of(connection, slice_)


def _status_period(agent: str, parameters: Mapping[str, str]) -> float:
    """How often the status script is called, as the parameters of the agent say; 0 when they do not.

    Raises:
        Invalid: the default agent does not know a parameter, or it is not a number of seconds.
    """
    given = {name.replace("-", "_"): text for name, text in parameters.items()}
    if agent == DEFAULT_AGENT and (unknown := given.keys() - {_PERIOD}):
        raise Invalid(f"{agent} has no parameter {min(unknown)[:80]!r}", hint=f"it takes {_PERIOD}=SECONDS")
    # Another agent is told of it, too: what else it takes only its author knows.
    return _seconds(given[_PERIOD]) if _PERIOD in given else 0.0


def _seconds(text: str) -> float:
    try:
        period = float(text)
    except ValueError:
        period = 0.0
    if not _SHORTEST_S <= period <= _LONGEST_S:
        raise Invalid(
            f"{_PERIOD} is {text[:40]!r}",
            hint=f"it takes a number of seconds from {_SHORTEST_S} to {_LONGEST_S:.0f}",
        )
    return period
