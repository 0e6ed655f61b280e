"""What is really so, whatever anybody believes: processes of applications, and who ended them."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsmt_core.configuration import NONE, Configuration
from dsmt_core.names import Application, Host, Slice
from planner.release import ReleaseName, release_name
from tests.world.simulation import Simulation

Place = tuple[Host, Slice, Application]


class Broken(AssertionError):
    """A law of the world was broken."""


@dataclass(slots=True)
class Process:
    """A running application.

    Attributes:
        well: its status script says so.
        configuration: with which it was started.
    """

    version: str
    well: bool = True
    configuration: Configuration = NONE

    @property
    def release(self) -> ReleaseName:
        """What runs."""
        return release_name(self.version, self.configuration.digest)


@dataclass(slots=True)
class Truth:
    """All processes of applications.

    Attributes:
        broken: hosts on which nothing comes to run, though they are well otherwise.
        bad: versions that come to run nowhere.
        ordered: every release that a planner has ordered of any host.
    """

    simulation: Simulation
    processes: dict[Place, Process] = field(default_factory=dict)
    broken: set[Host] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    ordered: set[ReleaseName] = field(default_factory=set)
    started: int = 0

    def fails(self, host: Host, version: str) -> bool:
        """Whether a start script cannot do its work there."""
        return host in self.broken or version in self.bad

    def start(self, place: Place, version: str, configuration: Configuration = NONE) -> None:
        """A start script is called; a second instance on one host breaks a law."""
        self._note(place, f"starts, version {version} {configuration.text}")
        if place in self.processes:
            raise Broken(f"a second {place[2]} was started beside a running one on {place[0]}")
        self.processes[place] = Process(version, configuration=configuration)
        self.started += 1

    def stop(self, place: Place, *, why: str) -> None:
        """An application is stopped by software; a healthy one only for a reason."""
        process = self.processes.pop(place, None)
        self._note(place, f"is stopped: {why or 'without a reason'}")
        if process is not None and process.well and not why:
            raise Broken(f"the healthy {place[2]} on {place[0]} was stopped without a reason")

    def die(self, place: Place) -> None:
        """An application dies by itself, or with its machine."""
        if self.processes.pop(place, None) is not None:
            self._note(place, "dies")

    def hosts(self, slice_: Slice) -> set[Host]:
        """Where a slice really runs."""
        return {host for host, of, _ in self.processes if of == slice_}

    def _note(self, place: Place, what: str) -> None:
        self.simulation.version += 1
        if self.simulation.trace is not None:
            self.simulation.note(*place, what)
