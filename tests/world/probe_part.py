"""Probes in the simulated world: what a container manager decides, and hands that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agents.container_manager.decide import Probes
from dsmt_core.nodes import ProbeResult
from tests.world.simulation import Simulation

# While faults last, a probe fails now and then, as on a node whose disk is full.
FAILS = 0.1


class Machine(Protocol):
    """Where probes are made."""

    sick: str
    probes: ProbePart | None


class ProbePart:
    """What one life of a container manager does about probes.

    Args:
        simulation: clock and luck.
        answer: publishes how a probe went.
        of: the machine.
    """

    def __init__(
        self, simulation: Simulation, answer: Callable[[ProbeResult], None], *, of: Machine
    ) -> None:
        self._simulation = simulation
        self._answer = answer
        self._of = of
        self._probes = Probes()

    def asked(self, nonce: str) -> None:
        """An order to probe."""
        if self._probes.asked(nonce):
            self._simulation.after(self._simulation.work_s(), lambda: self._done(nonce))
        elif answer := self._probes.answer_again(nonce):
            self._answer(answer)

    def _done(self, nonce: str) -> None:
        if self._of.probes is not self:
            # That life of the container manager is over.
            return
        unlucky = self._simulation.faulty and self._simulation.chance(FAILS)
        result = ProbeResult(nonce=nonce, reason=self._of.sick or ("no space left" if unlucky else ""))
        self._probes.done(result)
        self._answer(result)
