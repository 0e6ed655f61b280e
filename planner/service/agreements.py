"""Agreements: people let go what the planner held back; durable, for exactly what they were shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from dsmt_core.channels import Channel, component_channel
from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.names import PLANNER, Account, Slice
from planner.catalogue.parts import AGREED
from planner.preview import Preview
from planner.service.ledger import Ledger
from planner.service.previews import Previews
from planner.store import restraints

# An event is bounded; the index stands for all of them.
_NAMED: Final = 100
_log = structlog.get_logger(__name__)

Tell = Callable[[Slice, Channel, str, dict[str, str]], Awaitable[None]]


class Agreements:
    """What waits for people to agree, slice by slice.

    Args:
        ledger: what is wanted.
        previews: tells what waits.
        tell: publishes an event of the planner: slice, channel, field, pairs.
    """

    def __init__(self, ledger: Ledger, previews: Previews, tell: Tell) -> None:
        self._ledger = ledger
        self._previews = previews
        self._tell = tell

    def held(self, slice_: Slice) -> dict[str, Any]:
        """What waits in a slice now, as the API shows it; nothing while its plan cannot be evaluated.

        Raises:
            NotFound: there is no such slice.
        """
        wanted = self._ledger.slice(slice_)
        try:
            return _written(slice_, self._previews.of(wanted))
        except DsmtError as error:
            _log.warning("what waits cannot be told", slice=slice_, reason=str(error))
            return {"slice": slice_, "index": "", "hosts": []}

    async def agree(self, slice_: Slice, index: str, by: Account) -> dict[str, Any]:
        """Let go what waits.

        Args:
            slice_: in which slice.
            index: of what was shown.
            by: who agrees.

        Returns:
            What was let go, as `held`.

        Raises:
            NotFound: there is no such slice.
            Conflict: nothing waits, or something else than was shown; nothing is changed.
        """
        shown: list[Preview] = []

        def holds() -> None:
            shown.append(self._previews.of(self._ledger.slice(slice_)))
            _check(slice_, shown[0].held_index, index)

        def agreed(connection: Connection) -> None:
            # Nobody changes the slice between the look and this.
            before = self._ledger.slice(slice_).restraint
            hosts = frozenset(one.host for one in shown[0].held)
            restraints.put(connection, slice_, replace(before, agreed=hosts))

        await self._ledger.change_if(slice_, holds, agreed)
        await self._say(slice_, shown[0], by)
        return _written(slice_, shown[0])

    async def _say(self, slice_: Slice, let_go: Preview, by: Account) -> None:
        hosts = [one.host for one in let_go.held]
        _log.info("people agreed", slice=slice_, by=by, hosts=len(hosts), index=let_go.held_index)
        pairs = {
            "by": by,
            "index": let_go.held_index,
            "count": str(len(hosts)),
            "hosts": ",".join(hosts[:_NAMED]),
        }
        try:
            await self._tell(slice_, Channel(f"{component_channel(slice_, PLANNER)}status/"), AGREED, pairs)
        except DsmtError as error:
            _log.warning("an agreement could not be published", slice=slice_, reason=str(error))


def _check(slice_: Slice, now: str, shown: str) -> None:
    if not now:
        raise Conflict(f"nothing in {slice_} waits for people to agree")
    if shown != now:
        raise Conflict(
            f"what waits in {slice_} is not what the index {shown[:40]!r} stands for; nothing is changed",
            hint="look again with dsmtc agree --dry-run",
        )


def _written(slice_: Slice, found: Preview) -> dict[str, Any]:
    hosts = [
        {
            "host": one.host,
            "reason": one.reason.text,
            "plan": one.reason.plan,
            "function": one.reason.function,
        }
        for one in found.held
    ]
    return {"slice": slice_, "index": found.held_index, "hosts": hosts}
