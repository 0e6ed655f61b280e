"""What people see of slivers, and do there, without changing what is wanted: logs, and commands."""

from __future__ import annotations

from planner.fleet import Fleet
from planner.service.calls import Calls
from planner.service.commands import Commands
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
        self.pings = Pings(places, self.calls, fleet)
