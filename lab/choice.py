"""Which scene: RabbitMQ where it is installed, else the embedded world, unless one is asked for."""

from __future__ import annotations

from typing import Final

from broker.server.settings import PROGRAM
from lab.scene import Scene, Scenery

BROKERS: Final = ("auto", "rabbitmq", "embedded")


def scene_of(broker: str, scenery: Scenery) -> Scene:
    """The scene for one of `BROKERS`."""
    if broker == "embedded" or (broker == "auto" and not PROGRAM.exists()):
        from lab.embedded import EmbeddedScene  # noqa: PLC0415 - kombu is loaded only where it is used

        return EmbeddedScene(scenery)
    from lab.processes import ProcessScene  # noqa: PLC0415

    return ProcessScene(scenery)
