"""The agent of a sliver into which Python is brought along, the same for every driver that does so."""

from __future__ import annotations

from typing import Any, Final

from agents.container_manager.images.brought import Brought
from agents.container_manager.slivers.place import Place

_AGENT: Final = "agents.deployment_agent.main"


class BroughtAgent:
    """Part of a driver that says what it brings along."""

    def agent_command(self, place: Place) -> tuple[str, ...]:  # noqa: ARG002 - the same in each sliver
        """See `SliverDriver.agent_command`."""
        return tuple(self._brought().command(_AGENT))

    def agent_inside(self, place: Place) -> dict[str, Any]:  # noqa: ARG002
        """See `SliverDriver.agent_inside`."""
        brought = self._brought()
        return {
            "module": _AGENT,
            "sites": [f"{brought.target}/site"],
            "path": [f"{brought.target}/code"],
            "executable": brought.python()[-1],
        }

    def agent_environment(self, place: Place) -> dict[str, str]:  # noqa: ARG002
        """See `SliverDriver.agent_environment`."""
        return self._brought().environment()

    def _brought(self) -> Brought:
        raise NotImplementedError
