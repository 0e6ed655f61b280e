"""A scene: a whole installation on one machine, with nodes that can be switched off and on.

Two kinds stand behind this port: real processes around a private RabbitMQ (`lab.processes`), and the
embedded one, where the parts are tasks of this process (`lab.embedded`). Slivers and applications are
real processes in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from dsmt_core.names import Host

HOSTS: Final = tuple(
    Host(name)
    for name in (
        "node1.tokyo.example",
        "node2.paris.example",
        "node3.lima.example",
        "node4.oslo.example",
        "node5.accra.example",
    )
)
# Where these cities are: latitude and longitude, in degrees.
PLACES: Final = ((35.7, 139.7), (48.9, 2.4), (-12.0, -77.0), (59.9, 10.8), (5.6, -0.2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """What a scene is made of.

    Attributes:
        home: the directory that holds everything; made anew by whoever starts the scene.
        hosts: the nodes' names.
        heartbeat_s: the nodes' period.
        status_period_s: between two calls of a status script.
        sliver_driver: ``auto``, ``bubblewrap`` or ``process``.
        podman: as `dsmt-node --podman`.
        admin: the first account.
        password: of it.
        port: of the planner; 0 takes a free one.
        shared_users: nodes have one user of the broker, agents another: many may speak by one connection.
    """

    home: Path
    hosts: Sequence[Host] = HOSTS
    heartbeat_s: float = 1.0
    status_period_s: float = 5.0
    sliver_driver: str = "auto"
    podman: str = "auto"
    admin: str = "pi@example.com"
    password: str = field(repr=False)
    port: int = 0
    shared_users: bool = False


class Scene(Protocol):
    """A running installation; `stop` leaves no process behind and may be called twice."""

    broker: str
    planner_url: str

    @property
    def operator_url(self) -> str:
        """The broker's URL with which a monitor connects."""
        ...

    async def start(self) -> None:
        """Start broker, planner, depot and all nodes; returns when they answer.

        Raises:
            DsmtError: a part did not start; what had been started is still to be stopped.
        """
        ...

    async def stop(self) -> None:
        """End everything."""
        ...

    async def power_off(self, host: Host) -> None:
        """End all processes of a node at once, as a power failure does."""
        ...

    async def power_on(self, host: Host) -> None:
        """Start the node again, with the disk that it had."""
        ...

    def pids(self, host: Host) -> list[int]:
        """All processes of a node; those that are tasks of this process are not among them."""
        ...
