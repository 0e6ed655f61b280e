"""The port of the slivers' drivers, with what it promises. Every driver passes one contract suite.

Promises:

1. `create`, `boot`, `end` and `destroy` may be repeated; the second time changes nothing.
2. `boot` returns when the init answers on its socket, or raises and leaves no process behind.
3. What was booted lives on when the container manager dies, and `adopt` finds it, by its record or,
   without one, by its socket.
4. `end` leaves no process of the sliver, daemons included; `destroy` leaves no file either.
5. Nothing that a sliver lays in its own directories leads a driver outside them.

Everything here blocks, for at most about half a minute, and is called in threads: at most one call a
sliver at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.container_manager.limits.groups import Use
from agents.container_manager.slivers.place import Inside, Place
from agents.container_manager.slivers.record import InitRecord
from dsmt_core.limits import NO_LIMITS, Limits, Network

GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class AgentCommand:
    """What the init keeps running; without ``argv`` it runs nothing by itself.

    Attributes:
        argv, env: the program.
        inside: how the init forks it instead, once it was given its configuration; empty: never.
    """

    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, Any] = field(default_factory=dict)


class SliverDriver(Protocol):
    """A way to make slivers on this machine."""

    @property
    def name(self) -> str:
        """As the fact ``sliver_driver`` tells it."""
        ...

    def probe(self) -> str:
        """Why slivers cannot be made this way here; empty when they can."""
        ...

    def lacks(self, network: Network) -> str:
        """Why programs of its slivers cannot have this network here; empty when they can. May try it."""
        ...

    def inside(self, place: Place) -> Inside:
        """How the processes of the sliver name its directories."""
        ...

    def agent_command(self, place: Place) -> tuple[str, ...]:
        """Runs the deployment agent in a sliver."""
        ...

    def agent_inside(self, place: Place) -> Mapping[str, Any]:
        """How the sliver's init forks the agent (`AgentCommand.inside`); empty where it cannot."""
        ...

    def agent_environment(self, place: Place) -> Mapping[str, str]:
        """What such an agent needs in its environment besides what it is always given."""
        ...

    def create(self, place: Place) -> None:
        """Make the sliver's directories, complete, with a user of their own where that is possible.

        Raises:
            DsmtError, OSError: they could not be made.
        """
        ...

    def boot(self, place: Place, agent: AgentCommand, limits: Limits = NO_LIMITS) -> InitRecord:
        """Start the sliver's init within ``limits``, or return the one that runs.

        Raises:
            Unavailable: it did not start, or did not answer in time; the reason is its last line.
        """
        ...

    def adopt(self, place: Place) -> InitRecord | None:
        """The init that an earlier life of the container manager booted, if it is running."""
        ...

    def end(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """End everything in the sliver: politely, and after ``grace_s`` for certain.

        Raises:
            DeadlinePassed: something would not end.
        """
        ...

    def destroy(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """`end`, then remove its files."""
        ...

    def limit(self, place: Place, limits: Limits) -> None:
        """Have a sliver that runs keep these limits from now on; its applications run on.

        Raises:
            Unavailable: they cannot be kept now.
        """
        ...

    def enforced(self, place: Place, limits: Limits) -> str:
        """What of the limits is kept here, and by what, such as ``memory=cgroup2 disk=watched``."""
        ...

    def use(self, place: Place) -> Use:
        """What its applications use now."""
        ...

    def exists(self, place: Place) -> bool:
        """Whether `create` was completed."""
        ...

    def owner(self, place: Place) -> tuple[int, int] | None:
        """Uid and gid of the sliver on the host; None where it has none of its own."""
        ...
