"""What confines the processes of one sliver, and how: prepared before its first instruction, changed later.

By what a sliver is confined stands in a file beside its init's record (``groups.json``): a manager that
comes back elsewhere in the tree of cgroups finds, changes and removes what an earlier one made.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents import local_socket, state_file
from agents.container_manager.limits import groups as of_groups
from agents.container_manager.limits.groups import Doors, Groups, Tree, Use
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import DsmtError
from dsmt_core.limits import Limits, Network

# With a uid of its own the sliver's first process and its agent count among its processes.
_OWN_PROCESSES: Final = 32
WATCHED: Final = "watched"
RLIMIT: Final = "rlimit"
GROUPS: Final = "groups.json"


@dataclass(slots=True)
class Bounds:
    """What a launch needs.

    Attributes:
        entry: files into which a process writes 0 to be in the sliver's group.
        doors: what the init inherits.
        config: for the init.
        network: what the programs are to have.
    """

    entry: list[str]
    doors: Doors
    config: dict[str, Any]
    network: Network = Network.HOST


class Confinement:
    """Confines slivers.

    Args:
        groups: where cgroups can be made now.
    """

    def __init__(self, groups: Groups | None = None) -> None:
        self._groups = groups or Groups()

    def prepare(self, place: Place, owner: tuple[int, int] | None, limits: Limits) -> Bounds:
        """Make the sliver's groups anew, with its limits; what it returns is to be closed.

        Raises:
            Unavailable: they cannot be made, or not be limited so.
        """
        self._groups.make(place.mark, owner)
        trees = [
            {"version": tree.version, "controllers": sorted(tree.controllers), "base": str(tree.base)}
            for tree in self._groups.trees
        ]
        kept = {"trees": trees, "uid": owner is not None, "network": str(limits.network)}
        state_file.save(_file(place), kept)
        self._groups.limit(place.mark, limits)
        doors = self._groups.doors(place.mark)
        inherited = {"gates": doors.gates, "apps": doors.apps, "version": doors.version}
        rlimits = self._rlimits(place, limits)
        config = {"groups": inherited, "rlimits": rlimits, "network": str(limits.network)}
        return Bounds(self._groups.entry(place.mark), doors, config, limits.network)

    def limit(self, place: Place, limits: Limits) -> None:
        """Have a sliver that runs keep other limits.

        Raises:
            Unavailable: the kernel refuses.
        """
        of_sliver(place).limit(place.mark, limits)
        request = {"op": "limits", **self._rlimits(place, limits)}
        with contextlib.suppress(DsmtError):
            # An init of an older DSMT knows none; it ends with its sliver.
            local_socket.ask(place.init_socket, request)

    def enforced(self, place: Place, limits: Limits) -> str:
        """What of the limits is kept, and by what, as the event tells it."""
        rlimits = dict.fromkeys(self._rlimits(place, limits), RLIMIT)
        more = {**rlimits, "disk": WATCHED, **of_sliver(place).enforced}
        return with_network(of_groups.told(limits, more), self.network(place))

    def network(self, place: Place) -> str:
        """What of the network the programs of a sliver have since it was booted."""
        return network_of(place)

    def use(self, place: Place) -> Use:
        """What its applications use."""
        return of_sliver(place).use(place.mark)

    def kill(self, place: Place) -> None:
        """End what is still in its groups."""
        of_sliver(place).kill(place.mark)

    def remove(self, place: Place) -> None:
        """Remove its groups."""
        of_sliver(place).remove(place.mark)

    def _rlimits(self, place: Place, limits: Limits) -> dict[str, int]:
        """What the kernel keeps for each process by itself, where there is nothing better."""
        by_groups, found = of_sliver(place).enforced, {"files": limits.files, "disk": limits.disk}
        if "memory" not in by_groups:
            found["memory"] = limits.memory
        if "processes" not in by_groups and limits.processes and _load(place).get("uid"):
            found["processes"] = limits.processes + _OWN_PROCESSES
        return {name: number for name, number in found.items() if number}


def with_network(told: str, network: str) -> str:
    """What is told of the limits, and of a network that is not the node's."""
    return told if network == Network.HOST else f"{told} network={network}".strip()


def network_of(place: Place) -> str:
    """What of the network the programs of a sliver have since it was booted."""
    return str(_load(place).get("network") or Network.HOST)


def of_sliver(place: Place) -> Groups:
    """The groups of a sliver as they were made; none when it has none, or that is not known."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return Groups(
            tuple(
                Tree(int(one["version"]), frozenset(one["controllers"]), Path(one["base"]))
                for one in _load(place)["trees"]
            )
        )
    return Groups()


def _load(place: Place) -> dict[str, Any]:
    return state_file.load(_file(place)).value or {}


def _file(place: Place) -> Path:
    return place.directory / GROUPS
