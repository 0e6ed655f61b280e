"""A process that stands still: stopped, swapped out, or busy with one thing for seconds.

What comes for it meanwhile waits, what it planned to do is late, and then all of it happens at once.
"""

from __future__ import annotations

from tests.world.simulation import Call, Simulation


class Stall:
    """Whether the process stands still, and what waits for that to end."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._until = float("-inf")
        self._waiting: list[Call] = []

    @property
    def is_on(self) -> bool:
        """Whether it stands still now."""
        return self._simulation.now < self._until

    def begin(self, seconds: float) -> None:
        """It stands still from now on."""
        if not self.is_on:
            self._simulation.note("the planner stands still for", f"{seconds:.1f} s")
            self._until = self._simulation.now + seconds
            self._simulation.after(seconds, self.end)

    def end(self) -> None:
        """It goes on, or has died: all that waited happens, in the order in which it was due."""
        self._until = float("-inf")
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def holds(self, call: Call) -> bool:
        """Whether a call has to wait; then it is made later."""
        if self.is_on:
            self._waiting.append(call)
        return self.is_on
