"""The disk of a simulated machine: what it still knows after a power failure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from agents.container_manager.decide import Found, Keep
from dsmt_core.names import Application, Slice


@dataclass(slots=True)
class Disk:
    """What a machine still knows after a power failure."""

    orders: dict[Slice, Keep] = field(default_factory=dict)
    agents: dict[Slice, dict[str, Any]] = field(default_factory=dict)
    packages: dict[Slice, dict[Application, str]] = field(default_factory=dict)

    def copy(self) -> Disk:
        """The same as it is now; what is written later does not change it."""
        return Disk(
            dict(self.orders),
            {name: dict(agent) for name, agent in self.agents.items()},
            {name: dict(packages) for name, packages in self.packages.items()},
        )

    def found(self, alive: Container[Slice]) -> list[Found]:
        """What a container manager finds when it comes up; ``alive``: the slivers whose init runs."""
        return [
            Found(
                slice=name,
                generation=kept.generation,
                wanted=kept.wanted,
                agent=kept.agent,
                digest=kept.digest,
                state=kept.state,
                made=True,
                alive=name in alive,
            )
            for name, kept in self.orders.items()
        ]
