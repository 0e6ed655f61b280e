"""The ways to make a sliver on one node: the usual one, over another tree, and podman's out of an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agents.container_manager.images.podman import PodmanDriver
from agents.container_manager.limits.groups import Use
from agents.container_manager.roots.layered import LayeredDriver, root_of
from agents.container_manager.slivers import directories
from agents.container_manager.slivers.driver import GRACE_S, AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Inside, Place
from agents.container_manager.slivers.record import InitRecord
from dsmt_core.limits import NO_LIMITS, Limits, Network

SEEN = "image.json"
"""In the run directory, for the agent; see `agents.deployment_agent.image`."""


class BothDrivers:
    """A sliver whose place has an ``image.json`` is podman's, with a ``root.json`` it is made over a tree.

    Args:
        usual: the node's own, for every other.
        images: for slivers out of images.
        layered: for slivers over a tree.
    """

    def __init__(
        self, usual: SliverDriver, images: PodmanDriver, layered: LayeredDriver | None = None
    ) -> None:
        self._usual = usual
        self._images = images
        self._layered = layered

    @property
    def name(self) -> str:
        """That of the usual one."""
        return self._usual.name

    def probe(self) -> str:
        """See `SliverDriver.probe`."""
        return self._usual.probe()

    def lacks(self, network: Network) -> str:
        """That of the usual one; see `SliverDriver.lacks`."""
        return self._usual.lacks(network)

    def inside(self, place: Place) -> Inside:
        """See `SliverDriver.inside`."""
        return self._of(place).inside(place)

    def agent_command(self, place: Place) -> tuple[str, ...]:
        """See `SliverDriver.agent_command`."""
        return self._of(place).agent_command(place)

    def agent_inside(self, place: Place) -> Mapping[str, Any]:
        """See `SliverDriver.agent_inside`."""
        return self._of(place).agent_inside(place)

    def agent_environment(self, place: Place) -> Mapping[str, str]:
        """See `SliverDriver.agent_environment`."""
        return self._of(place).agent_environment(place)

    def create(self, place: Place) -> None:
        """See `SliverDriver.create`."""
        self._of(place).create(place)

    def boot(self, place: Place, agent: AgentCommand, limits: Limits = NO_LIMITS) -> InitRecord:
        """See `SliverDriver.boot`; before it, the agent's word about the image is made true."""
        driver = self._of(place)
        running = driver.adopt(place)
        if running is None:
            seen = place.run / SEEN
            if driver is self._images:
                directories.put(seen, json.dumps(self._images.seen(place)))
            else:
                directories.clear(seen)
        return driver.boot(place, agent, limits)

    def adopt(self, place: Place) -> InitRecord | None:
        """See `SliverDriver.adopt`."""
        return self._of(place).adopt(place)

    def end(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.end`."""
        self._of(place).end(place, grace_s=grace_s)

    def destroy(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.destroy`."""
        self._of(place).destroy(place, grace_s=grace_s)

    def limit(self, place: Place, limits: Limits) -> None:
        """See `SliverDriver.limit`; over another tree a sliver begins anew."""
        if not place.image_file.exists() and root_of(place) != limits.root:
            self.end(place)
            return
        self._of(place).limit(place, limits)

    def enforced(self, place: Place, limits: Limits) -> str:
        """See `SliverDriver.enforced`."""
        return self._of(place).enforced(place, limits)

    def use(self, place: Place) -> Use:
        """See `SliverDriver.use`."""
        return self._of(place).use(place)

    def exists(self, place: Place) -> bool:
        """See `SliverDriver.exists`."""
        return self._of(place).exists(place)

    def owner(self, place: Place) -> tuple[int, int] | None:
        """See `SliverDriver.owner`."""
        return self._of(place).owner(place)

    def _of(self, place: Place) -> SliverDriver:
        if place.image_file.exists():
            return self._images
        return self._layered if self._layered and place.root_file.exists() else self._usual
