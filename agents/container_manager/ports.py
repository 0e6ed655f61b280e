"""Who listens at a port of this machine, as far as /proc tells this user (proc(5))."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agents.container_manager.limits.confinement import network_of
from agents.container_manager.slivers.place import Place
from agents.sliver_init.census import APPLICATION_MARK, SLIVER_MARK
from dsmt_core.limits import Network

_TABLES: Final = ("tcp", "tcp6")
_LISTENS: Final = "0A"
_PLAIN: Final = 200
_ENVIRONMENT_BYTES: Final = 1 << 20


def holder(ports: Iterable[int], proc: Path = Path("/proc")) -> tuple[int, str]:
    """The first of ``ports`` that somebody listens at, and who that is; 0 and an empty text for none.

    Args:
        ports: of TCP.
        proc: where the kernel tells of processes.
    """
    listening = _listening(proc)
    for port in ports:
        if port in listening:
            return port, _name(proc, listening[port])
    return 0, ""


def missed(place: Place, ports: Iterable[int]) -> tuple[int, str]:
    """The same for the programs of a sliver; nobody where they have not the node's network."""
    return holder(ports) if network_of(place) == Network.HOST else (0, "")


def _listening(proc: Path) -> dict[int, set[str]]:
    """Port → the sockets that listen there."""
    found: dict[int, set[str]] = {}
    for table in _TABLES:
        with contextlib.suppress(OSError):
            for line in (proc / "self" / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENS:
                    port = int(words[1].rpartition(":")[2], 16)
                    found.setdefault(port, set()).add(f"socket:[{words[9]}]")
    return found


def _name(proc: Path, sockets: set[str]) -> str:
    for directory in _processes(proc):
        with contextlib.suppress(OSError):
            for descriptor in (directory / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in sockets:
                        return _described(directory)
    return "a process that this node may not look into"


def _processes(proc: Path) -> Iterator[Path]:
    return (path for path in proc.iterdir() if path.name.isdecimal())


def _described(directory: Path) -> str:
    """The application that a process belongs to, or the process."""
    with contextlib.suppress(OSError), (directory / "environ").open("rb") as file:
        words = file.read(_ENVIRONMENT_BYTES).decode(errors="replace").split("\0")
        marks = {name: value[:_PLAIN] for name, _, value in (word.partition("=") for word in words)}
        if slice_ := marks.get(SLIVER_MARK, "").rpartition(".")[0]:
            application = marks.get(APPLICATION_MARK)
            whose = f"the application {application}" if application else "a program"
            return f"{whose} of the slice {slice_}"
    with contextlib.suppress(OSError):
        name = (directory / "comm").read_text(errors="replace").strip()
        return f"the process {name} (pid {directory.name}) of the node"
    return "a process that has just ended"
