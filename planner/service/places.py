"""Where people mean: the hosts of an application that a node's name, or a plan's, stands for."""

from __future__ import annotations

from typing import Final

from dsmt_core.errors import Conflict, Full, Invalid, NotFound
from dsmt_core.names import Application, Host, PlanName, Slice
from planner import turns
from planner.fleet import Fleet, NodeState
from planner.service.means import Means
from planner.service.plans import Plans

HOSTS_MOST: Final = 64


class Places:
    """Finds them.

    Args:
        means: what is wanted.
        fleet: which nodes there are, and which have failed.
        plans: what plans select.
    """

    def __init__(self, means: Means, fleet: Fleet, plans: Plans) -> None:
        self._ledger = means.ledger
        self._fleet = fleet
        self._plans = plans

    def hosts(self, slice_: Slice, name: Application, at: str) -> list[Host]:
        """The hosts of an application that are meant.

        Args:
            slice_: of which.
            name: of the application.
            at: a node, or a plan of the slice; empty: all.

        Raises:
            NotFound: it is neither, or the application is not placed there.
            Conflict: the slice has an agent that people have brought, which answers no such calls.
            Full: they are too many to look into.
        """
        wanted = self._ledger.slice(slice_)
        turns.wanted_of(wanted, name)
        if (brought := wanted.agent_package) is not None:
            raise Conflict(
                f"{slice_} has an agent of its own, {brought.name}, which looks into nothing for others",
                hint="logs and exec need DSMT's agent: dsmtc setagent --agent deployment-agent",
            )
        placed = {one.host for one in wanted.placements if one.application == name}
        found = placed & self._meant(slice_, at) if at else placed
        if not found:
            where = f"on {at[:80]}" if at else "anywhere"
            raise NotFound(
                f"{name} of {slice_} is not placed {where}", hint="dsmtc status tells where it is"
            )
        if len(found) > HOSTS_MOST:
            raise Full(f"{len(found)} nodes at once", hint=f"at most {HOSTS_MOST}: name a node or a plan")
        return sorted(found)

    def of_slice(self, slice_: Slice, at: str) -> list[Host]:
        """The hosts of a slice that are meant, whatever is placed there.

        Args:
            slice_: of which.
            at: a node, or a plan of the slice; empty: all.

        Raises:
            NotFound: it is neither, or the slice has no such hosts.
        """
        own = set(self._ledger.slice(slice_).hosts)
        if not (found := own & self._meant(slice_, at) if at else own):
            raise NotFound(
                f"{slice_} has no nodes{f' on {at[:80]}' if at else ''}",
                hint="dsmtc setplan chooses them; dsmtc status tells what waits, and why",
            )
        return sorted(found)

    def _meant(self, slice_: Slice, at: str) -> set[Host]:
        if at in self._ledger.slice(slice_).hosts or Host(at) in self._fleet.hosts:
            return {Host(at)}
        try:
            chosen = self._plans.evaluate(slice_, PlanName(at), {})
        except (NotFound, Invalid) as error:
            raise NotFound(
                f"{at[:80]!r} is neither a node nor a plan of {slice_}", hint=error.message
            ) from error
        return {Host(one["host"]) for one in chosen["hosts"]}

    def trouble(self, host: Host) -> str:
        """Why a host need not be asked; empty when it may answer."""
        return "the node has failed" if self._fleet.state(host) is NodeState.FAILED else ""
