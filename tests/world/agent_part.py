"""A deployment agent of the simulated world: the real decisions, and hands that only pretend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from agents.deployment_agent.decide import (
    Checked,
    CheckStatus,
    Deployments,
    Done,
    Found,
    Install,
    Installed,
    Look,
    Outcome,
    Periods,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Verdict,
)
from agents.deployment_agent.decide.record import Goal, Life
from dsmt_core.channels import status_channel
from dsmt_core.commands import NO_APPLICATION, Order
from dsmt_core.configuration import NONE
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Application, Host, Slice
from dsmt_core.nodes import GAVE_UP, HOLDINGS, application_pairs
from dsmt_core.watch import Watch
from planner.release import release_name
from tests.world.simulation import Kind, Simulation
from tests.world.truth import Broken, Place, Truth

TELLS_S = 10.0
# Stands in a state file that cannot be read.
TORN = "torn"
# A trial of a healthy application costs steps and shows nothing new.
PERIODS = Periods(first_poll_s=0.2, grace_s=5.0, proof_s=4.0, retreat_s=30.0)


class Listener(Protocol):
    """Whoever hears events in the end: the planner."""

    def hear(self, host: Host, kind: Kind, event: Event) -> None:
        """An event is published by a host."""
        ...


class AgentPart:
    """One life of an agent's process.

    Args:
        simulation: clock and luck.
        truth: of the processes.
        planner: hears what it says.
        place: host and slice.
        disk: what the agent wrote, and what it installed; kept by the sliver.
    """

    def __init__(
        self,
        simulation: Simulation,
        truth: Truth,
        planner: Listener,
        *,
        place: tuple[Host, Slice],
        disk: tuple[dict[str, Any], dict[Application, str]],
    ) -> None:
        self._simulation = simulation
        self._truth = truth
        self._planner = planner
        self._host, self._slice = place
        self._disk, self._disk_of_packages = disk
        self.alive = True
        self.wall_s = 0.0
        self._wakes = float("inf")
        self.deployments = Deployments(periods=PERIODS)
        life = f"{simulation.luck.random()}"
        self._bootstrap = Sender("m", f"{self._host}/{SLIVER_BOOTSTRAP}/{self._slice}", life)
        self._sender = Sender("m", f"{self._host}/{DEPLOYMENT_AGENT}/{self._slice}", life)

    def start(self, *, rebooted: bool) -> None:
        """The process comes up, and up to what it was; a disk that holds `TORN` cannot be read."""
        if TORN in self._disk:
            self.deployments.lost()
        elif self._disk:
            self.deployments.load(self._disk, self._simulation.now, rebooted=rebooted)
        for state in (
            State.REQUESTED,
            State.INSTANTIATED,
            State.INITIALIZED,
            State.INSTALLED,
            State.RUNNING,
        ):
            self._tell_state(self._bootstrap, SLIVER_BOOTSTRAP, state, {})
        self.greet()
        self._simulation.after(TELLS_S, self._tell_again)
        self._work()

    def greet(self) -> None:
        """It is connected (again)."""
        if self.alive:
            self._tell_holdings(asks=not self.deployments.settled)

    def hear(self, order: Order) -> None:
        """An order from its queue."""
        before = self.deployments.generation(order.application)
        verdict = self.deployments.accept(order, self._simulation.now)
        self._truth.ordered.add(release_name(order.version, order.configuration.digest))
        if verdict is Verdict.ACCEPTED:
            if order.generation < before:
                raise Broken(f"{order.text} of generation {order.generation} was obeyed after {before}")
            self._keep()
        self._tell_holdings(refused=order.application if verdict is Verdict.REFUSED else NO_APPLICATION)
        self._work()

    def ended(self, application: Application) -> None:
        """A process has ended."""
        if self.alive:
            self.deployments.ended(application, self._simulation.now)
            self._work()

    def _work(self) -> None:
        if not self.alive:
            return
        now = self._simulation.now
        steps = self.deployments.due(now)
        if steps:
            self._keep()
        for name, step in steps:
            self._begin(name, step)
        wake = self.deployments.wake_at
        if now < wake < self._wakes:
            self._wakes = wake
            self._simulation.after(wake - now + 0.001, self._woken)

    def _woken(self) -> None:
        self._wakes = float("inf")
        self._work()

    def _begin(self, name: Application, step: Step) -> None:
        # A stop that has begun is not undone by an order that arrives meanwhile.
        why = self._why_stop(name)

        def finish() -> None:
            if self.alive:
                outcome = self._carry_out(name, step, why)
                self.deployments.done(name, step, outcome, self._simulation.now)
                self._keep()
                self._work()

        self._simulation.after(self._simulation.work_s(slow=isinstance(step, Stop)), finish)

    def _carry_out(self, name: Application, step: Step, why: str) -> Outcome:
        place = self._host, self._slice, name
        match step:
            case Publish(state=state):
                self._tell_state(self._sender, DEPLOYMENT_AGENT, state, self._about(name, step))
            case Report():
                self._tell_status(name)
            case Install(version=version):
                return self._install(name, version)
            case Start():
                return self._start(place, step)
            case Look():
                return self._look(place)
            case CheckStatus(watch=watch):
                return self._check(name, watch)
            case Stop():
                self._truth.stop(place, why=why)
            case _:
                pass
        return Done()

    def _install(self, name: Application, version: str) -> Outcome:
        if self._simulation.faulty and self._simulation.chance(0.05):
            return Troubled("the disk is full")
        self._disk_of_packages[name] = version
        return Installed({})

    def _start(self, place: Place, step: Start) -> Outcome:
        if place in self._truth.processes:
            # As the real hands do: what runs is looked at, and never started beside itself.
            return Started(0, self._truth.processes[place].configuration)
        release = release_name(step.version, step.configuration.digest)
        if release not in self._truth.ordered:
            raise Broken(f"{release} is started on {self._host}, and nobody ever ordered it")
        if self._truth.fails(self._host, step.version):
            return Troubled("its port is taken")
        self._truth.start(place, step.version, step.configuration)
        return Started(7)

    def _look(self, place: Place) -> Outcome:
        process = self._truth.processes.get(place)
        # The file of the last start is still there.
        configuration = process.configuration if process is not None else NONE
        return Found(self._disk_of_packages.get(place[2], ""), {}, process is not None, configuration)

    def _check(self, name: Application, watch: Watch) -> Checked:
        process = self._truth.processes.get((self._host, self._slice, name))
        well = process is not None and process.well
        code, alive = 0 if well else 1, process is not None
        return Checked(scripted=True, code=code, alive=alive, start_code=0, probe=watch.check)

    def _why_stop(self, name: Application) -> str:
        record = self.deployments[name].record
        if record.life is Life.DOOMED and not record.version:
            return "nobody knows what runs"
        if record.goal is not Goal.RUNNING:
            return "not wanted"
        if record.returning:
            return "the release before is to be back"
        if record.outdated or record.reconfigured or record.order.restarts > record.restarts:
            return "another release, or a restart, was asked for"
        return ""

    def _about(self, name: Application, step: Publish) -> Mapping[str, str]:
        return {
            "managed": name,
            "version": step.version,
            "generation": str(step.generation),
            "reason": step.reason,
            "configuration": self.deployments[name].held.configuration,
            GAVE_UP: self.deployments[name].held.gave_up,
        }

    def _tell_state(self, sender: Sender, component: str, state: State, pairs: Mapping[str, str]) -> None:
        self._tell(Kind.STATE, sender, component, DEPLOYMENT_STATUS, {"status": state, **pairs})

    def _tell_status(self, name: Application) -> None:
        held = self.deployments[name].held
        pairs = {
            "application": name,
            "state": held.state,
            "text": "fine",
            "exit-code": "0",
            "version": held.version,
            "generation": str(held.generation),
            "configuration": held.configuration,
            GAVE_UP: held.gave_up,
        }
        self._tell(Kind.STATUS, self._sender, DEPLOYMENT_AGENT, STATUS, pairs)

    def _tell_again(self) -> None:
        if self.alive:
            self._tell_holdings()
            self._simulation.after(TELLS_S, self._tell_again)

    def _tell_holdings(self, *, asks: bool = False, refused: Application = NO_APPLICATION) -> None:
        pairs = application_pairs(self.deployments.holdings(refused))
        asking = {"asks": "yes"} if asks else {}
        self._tell(Kind.AGENT_HOLDINGS, self._sender, DEPLOYMENT_AGENT, HOLDINGS, pairs | asking)

    def _tell(self, kind: Kind, sender: Sender, component: str, field: str, pairs: dict[str, str]) -> None:
        channel = status_channel(self._slice, component, self._host)
        now = self._simulation.now + self.wall_s
        self._planner.hear(self._host, kind, sender.event(channel, field, now=now, id_="", pairs=pairs))

    def _keep(self) -> None:
        self._disk.clear()
        self._disk.update(self.deployments.written())
