"""What stands around the tracker: hints of the broker, trials of nodes, and who suits which slice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from dsmt_core.events import Event
from planner.service.fitting import Fitting
from planner.service.hints import Hints
from planner.service.means import Means, Watched
from planner.service.nodes import Nodes
from planner.service.trials import Speaks, Trials


class Tracking:
    """The three, wired; see each."""

    def __init__(
        self,
        means: Means,
        watched: Watched,
        voice: Speaks,
        *,
        nodes: Nodes,
        wake: Callable[[], None],
    ) -> None:
        self.hints = Hints(means, watched)
        self.trials = Trials(means, watched, voice, period=lambda: nodes.period, wake=wake)
        self.fitting = Fitting(means, watched, wake)

    def heard(self, event: Event) -> bool:
        """See `Trials.heard`."""
        return self.trials.heard(event)

    def tasks(self) -> tuple[tuple[str, Coroutine[Any, Any, None]], ...]:
        """What is to run, by name."""
        return (
            ("hints", self.hints.run()),
            ("trials", self.trials.run()),
            ("fitting", self.fitting.run()),
        )
