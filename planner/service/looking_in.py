"""What people see of slivers, and do there, without changing what is wanted: logs, and commands."""

from __future__ import annotations

from functools import partial

from dsmt_core.names import Slice
from planner.fleet import Fleet
from planner.service.calls import Calls
from planner.service.commands import Commands
from planner.service.ledger import Ledger
from planner.service.logs import Logs
from planner.service.means import Means
from planner.service.pings import Pings
from planner.service.places import Places
from planner.service.plans import Plans
from planner.service.voice import Voice


class LookingIn:
    """The parts that it takes.

    Attributes:
        calls: of agents.
        logs: what applications print.
        commands: what people run.
        pings: who is there.
    """

    def __init__(self, means: Means, fleet: Fleet, plans: Plans, voice: Voice) -> None:
        places = Places(means, fleet, plans)
        self.calls = Calls(means.bus, voice)
        self.logs = Logs(places, self.calls)
        self.commands = Commands(places, self.calls, voice)
        self.pings = Pings(places, self.calls, fleet, partial(_brought, means.ledger))


def _brought(ledger: Ledger, slice_: Slice) -> str:
    """The agent that people have brought for a slice; empty for DSMT's own."""
    wanted = ledger.wanted.slices.get(slice_)
    package = wanted.agent_package if wanted else None
    return package.name if package else ""
