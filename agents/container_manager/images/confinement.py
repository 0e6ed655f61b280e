"""The limits of a container's sliver: set by the engine, and changed in the cgroups that it made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.container_manager.limits import groups as of_groups
from agents.container_manager.limits import values
from agents.container_manager.limits.confinement import (
    GROUPS,
    RLIMIT,
    WATCHED,
    Bounds,
    Confinement,
    with_network,
)
from agents.container_manager.limits.groups import Doors, Use, read
from agents.container_manager.limits.hierarchies import CPU, CPUACCT, MEMORY, PIDS, hierarchies
from agents.container_manager.slivers import record
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Unavailable
from dsmt_core.limits import NO_LIMITS, Limits

_NANO: Final = 1e9
_CONTROLLER: Final = {"memory": MEMORY, "cpu": CPU, "processes": PIDS}


@dataclass(slots=True)
class EngineBounds(Bounds):
    """What a container is made with; nothing is inherited by it."""

    limits: Limits = field(default=NO_LIMITS)


class EngineConfinement(Confinement):
    """Of containers: their groups are the engine's, and hold init and agent with the applications."""

    def prepare(self, place: Place, owner: tuple[int, int] | None, limits: Limits) -> Bounds:  # noqa: ARG002
        """What the engine and the init are told."""
        state_file.save(place.directory / GROUPS, {"network": str(limits.network)})
        config = {
            "rlimits": _rlimits(limits),
            "network": str(limits.network),
            "groups": {"container": True},
        }
        return EngineBounds([], Doors(), config, limits.network, limits=limits)

    def limit(self, place: Place, limits: Limits) -> None:
        """Change what runs.

        Raises:
            Unavailable: the groups of the container cannot be written here.
        """
        found = _groups(place)
        for name, controller in _CONTROLLER.items():
            if controller not in found:
                if getattr(limits, name):
                    raise Unavailable(f"the limit of {name} cannot be changed here while the sliver runs")
                continue
            version, directory = found[controller]
            for write in values.writes(version, controller, limits):
                _write(directory, write)

    def enforced(self, place: Place, limits: Limits) -> str:
        """What is kept, and by what."""
        found = _groups(place)
        by = {name: f"cgroup{found[one][0]}" for name, one in _CONTROLLER.items() if one in found}
        told = of_groups.told(limits, {**dict.fromkeys(_rlimits(limits), RLIMIT), "disk": WATCHED, **by})
        return with_network(told, self.network(place))

    def use(self, place: Place) -> Use:
        """What the container uses."""
        found = _groups(place)
        memory = cpu = None
        if MEMORY in found:
            version, directory = found[MEMORY]
            name = "memory.current" if version == 2 else "memory.usage_in_bytes"
            memory = values.memory_use(version, read(directory / name), read(directory / "memory.stat"))
        controller = CPUACCT if CPUACCT in found else CPU
        if controller in found:
            version, directory = found[controller]
            name = "cpu.stat" if version == 2 else "cpuacct.usage"
            cpu = values.cpu_seconds(version, read(directory / name))
        return Use(memory, cpu)

    def kill(self, place: Place) -> None:
        """Nothing: the engine ends its containers."""

    def remove(self, place: Place) -> None:
        """Nothing: the engine removes them."""


def host_config(limits: Limits) -> dict[str, Any]:
    """The limits as the Docker API takes them."""
    found: dict[str, Any] = {}
    if limits.memory:
        # Without swap of its own: it would slow the whole machine.
        found |= {"Memory": limits.memory, "MemorySwap": limits.memory}
    if limits.cpu:
        found["NanoCpus"] = round(limits.cpu * _NANO)
    # The engine's own default is a bound that nobody asked for.
    found["PidsLimit"] = limits.processes or -1
    return found


def _rlimits(limits: Limits) -> dict[str, int]:
    return {name: number for name in ("files", "disk") if (number := getattr(limits, name))}


def _groups(place: Place) -> dict[str, tuple[int, Path]]:
    """Controller → version and directory of the container's group, where it is to be found."""
    init = record.load(place.init_file)
    if init is None or not record.lives(init):
        return {}
    known = hierarchies(read(Path("/proc/self/mountinfo")), read(Path(f"/proc/{init.pid}/cgroup")))
    found = {}
    for one in known:
        for controller in one.controllers or {MEMORY, CPU, PIDS}:
            directory = Path(one.own)
            # A kernel of both versions has each controller in one of them.
            if directory.is_dir() and (one.controllers or _has(directory, controller)):
                found[controller] = (one.version, directory)
    return found


def _has(directory: Path, controller: str) -> bool:
    return controller in read(directory / "cgroup.controllers").split()


def _write(directory: Path, write: values.Write) -> None:
    if not write.needed and not (directory / write.file).exists():
        return
    try:
        (directory / write.file).write_text(write.text)
    except OSError as error:
        raise Unavailable(f"the limit is not kept yet: {write.file}: {error.strerror}") from error
