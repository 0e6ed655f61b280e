"""From one agent to another: what runs is handed over where it can be said what it is, and ended elsewhere.

From the default agent: its record names what runs. Between agents of others: the same files serve them all.
Back to the default agent: it knows neither the place nor the scripts of what another one has installed, so
that is ended, and the default agent begins with what the planner orders.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.deployment_agent.application import TERM_S
from agents.deployment_agent.decide import record as records
from agents.deployment_agent.decide.record import Goal, Record
from agents.deployment_agent.memory import FILE
from agents.deployment_agent.sliver import Sliver
from agents.scripted.held import Holdings, Kept, asked
from dsmt_core.errors import DeadlinePassed, DsmtError
from dsmt_core.lifecycle import State
from dsmt_core.names import Application

HELD: Final = "held"
_LOOK_S: Final = 0.05
_LOG = logging.getLogger(__name__)


def hand_over(own: Path) -> None:
    """Have an agent of somebody else begin with what the default agent's record says; blocking.

    Raises:
        OSError: the disk has no room; nothing has changed then.
    """
    value = state_file.load(own / FILE).value
    if value is not None:
        Holdings(own / HELD).begin(_known(value))
        state_file.remove(own / FILE)


async def take_back(own: Path, sliver: Sliver) -> None:
    """End what an agent of somebody else has left.

    Raises:
        DsmtError: something does not end, or cannot be asked for.
    """
    holdings = Holdings(own / HELD)
    for name in await asyncio.to_thread(holdings.all):
        _LOG.warning("%s, installed by another agent, is ended, and begun anew if it is ordered", name)
        await end(sliver, name)
    await asyncio.to_thread(holdings.end)


async def end(sliver: Sliver, name: Application) -> None:
    """End all processes of an application, politely first.

    Raises:
        DeadlinePassed: something survives even SIGKILL.
        Conflict, Unavailable: the init could not be asked.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not await sliver.signal(name, number):
            return
        limit = loop.time() + TERM_S
        while loop.time() < limit:
            if not (await sliver.processes(name)).pids:
                return
            await asyncio.sleep(_LOOK_S)
    raise DeadlinePassed(f"processes of {name} survive SIGKILL")


def _known(value: Mapping[str, Any]) -> dict[Application, Kept]:
    known = {}
    for values in value.get("applications") or ():
        try:
            record = records.read(values)
            known[record.order.application] = _kept(record)
        except DsmtError as error:
            # The planner orders it again.
            _LOG.warning("%s", error)
    return known


def _kept(record: Record) -> Kept:
    runs = record.goal is Goal.RUNNING and record.state is State.RUNNING
    return replace(
        asked(record.order),
        started=record.configuration.text,
        said=record.state,
        installed=record.version,
        done=runs and not record.outdated and not record.reconfigured,
    )
