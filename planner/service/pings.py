"""Who is there: the agents of a slice are asked at once, and each answer is told as it comes.

Nobody is left out because of what was heard before: who has failed is asked as well, and told with it. The
deadline is one for all, so that many who are silent take no longer than one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from importlib.metadata import version
from typing import Any, Final

from dsmt_core.calls import Call, Kind
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid
from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.fleet import Fleet
from planner.service.calls import Calls
from planner.service.places import Places

WITHIN_MOST_S: Final = 60.0


class Pings:
    """Asks who is there.

    Args:
        places: who is meant.
        calls: asks agents.
        fleet: what was heard of who does not answer.
        brought: the agent that people of a slice have brought; empty: it has DSMT's own.
    """

    def __init__(
        self, places: Places, calls: Calls, fleet: Fleet, brought: Callable[[Slice], str] = lambda _: ""
    ) -> None:
        self._brought = brought
        self._places = places
        self._calls = calls
        self._fleet = fleet

    def ask(self, slice_: Slice, at: str, within_s: float) -> AsyncGenerator[dict[str, Any]]:
        """First how many are asked, then each: ``host`` with ``ms``, or with why there is none.

        Raises:
            NotFound: ``at`` is neither a node of the slice nor a plan; or the slice has no nodes.
            Invalid: the deadline is not legal.
            Unavailable: the broker is away.
        """
        if not 0 < within_s <= WITHIN_MOST_S:
            raise Invalid(f"a deadline of {within_s:g} s", hint=f"above 0, at most {WITHIN_MOST_S:g}")
        hosts = self._places.of_slice(slice_, at)
        self._calls.check_link()
        return self._told(slice_, hosts, within_s)

    async def _told(
        self, slice_: Slice, hosts: Sequence[Host], within_s: float
    ) -> AsyncGenerator[dict[str, Any]]:
        yield {"asked": len(hosts)}
        tasks = [asyncio.create_task(self._one(slice_, host, within_s)) for host in hosts]
        try:
            for answered in asyncio.as_completed(tasks):
                yield await answered
        finally:
            for task in tasks:
                task.cancel()

    async def _one(self, slice_: Slice, host: Host, within_s: float) -> dict[str, Any]:
        call = Call(kind=Kind.PING, id=secrets.token_hex(16), host=host, slice=slice_)
        began = time.monotonic()
        try:
            await self._calls.answered(call, within_s=within_s)
        except DsmtError as error:
            return {"host": host} | self._heard(slice_, host, error)
        return {"host": host, "ms": round((time.monotonic() - began) * 1000, 1)}

    def _heard(self, slice_: Slice, host: Host, error: DsmtError) -> dict[str, Any]:
        """Why a host did not answer, as far as that is known, and when its node and agent were heard."""
        sliver = self._fleet.sliver(slice_, host)
        agent = sliver.agent if sliver else None
        known = agent.state if agent else State.UNDEFINED
        trouble = error.message if known is State.RUNNING else f"its agent is {known}"
        if known is State.RUNNING and isinstance(error, DeadlinePassed):
            trouble += self._too_old(slice_, host)
        return {
            "trouble": trouble,
            "node_state": self._fleet.state(host),
            "heard_at": self._fleet.heard_at(host),
            "agent": known,
            "agent_since": agent.since if agent else 0.0,
        }

    def _too_old(self, slice_: Slice, host: Host) -> str:
        """Why an agent that runs may not know what a ping is; empty when it should."""
        if brought := self._brought(slice_):
            return f"; {brought} was brought by people, and may not know pings"
        node, own = self._fleet.node(host), version("dsmt")
        its = node.facts.get("dsmt_version", own) if node else own
        return f"; its node has DSMT {its}, whose agent may not know pings" if its != own else ""
